import { describe, expect, it } from 'vitest';
import { changedSettings } from '../../shared/commerce/changed-settings.ts';
import { defaultSettings } from '../../shared/commerce/preferences.ts';
import { codeOf } from '../datasets/code-of.ts';

describe('a shopper\'s settings', () => {
  it('change where something is given, and only there', () => {
    expect(changedSettings(defaultSettings, {})).toEqual(defaultSettings);
    expect(changedSettings(defaultSettings, { diversity: 1, surfaces: { cart: false }, channels: { email: true }, other: 7 })).toEqual({
      ...defaultSettings, diversity: 1, surfaces: { ...defaultSettings.surfaces, cart: false }, channels: { ...defaultSettings.channels, email: true },
    });
  });

  it('begin with the site as the only channel', () => {
    expect(Object.entries(defaultSettings.channels).filter(([, isOn]) => isOn)).toEqual([['site', true]]);
  });

  it('are not taken from what is none', () => {
    for (const changes of [null, 7, { diversity: -0.1 }, { diversity: '1' }, { surfaces: null }, { surfaces: { home: 'off' } }, { channels: { sms: 1 } }, { diversity: NaN }, { maxEpsilon: 0 }, { maxEpsilon: 101 }, { maxEpsilon: Infinity }]) expect(codeOf(() => changedSettings(defaultSettings, changes)), JSON.stringify(changes)).toBe('usage.invalid');
  });
});
