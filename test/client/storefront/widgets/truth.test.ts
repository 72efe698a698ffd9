import { describe, expect, it } from 'vitest';
import type { PrivacyState } from '../../../../client/storefront/api.ts';
import { texts } from '../../../../client/storefront/widgets/texts/en.ts';
import { truthOf } from '../../../../client/storefront/widgets/truth.ts';
import { wordsOf } from '../../../../client/storefront/widgets/words.ts';
import { defaultChannels, defaultSurfaces } from '../../../../shared/commerce/preferences.ts';

const state: PrivacyState = {
  degree: 3, chosen: 3, cap: null, notice: null, stored: { events: 12, items: 1, place: 'device' }, sent: { bytes: 65_536, messages: 2 },
  epsilon: { spent: 0.6931, bound: 2, delta: 1e-5 }, lastRound: 'main-7', participation: 'reported', receipts: [],
  settings: { diversity: 0, surfaces: defaultSurfaces, channels: defaultChannels, maxEpsilon: 2 },
};
const told = (changes: Partial<PrivacyState> = {}): Record<string, string> => Object.fromEntries(truthOf({ ...state, ...changes }, wordsOf(texts)));

describe('the numbers of the privacy panel', () => {
  it('are those of the state, with their units', () => {
    expect(told()).toMatchObject({
      Stored: '12 events about 1 item, on this device',
      'Sent from this page': '65,536 bytes in 2 messages',
      'Last round': 'main-7',
      Training: 'Has sent its part of this round',
    });
  });

  it('say epsilon as what it does to the odds, rounded up, never down', () => {
    expect(told()['Privacy spent']).toBe('Epsilon 0.7 of at most 2. Who sees all results can bet on whether you took part with odds at most 2 times better, but for a chance of 0.00001.');
    expect(told({ epsilon: { spent: 0.6932, bound: 2, delta: 1e-5 } })['Privacy spent']).toContain('at most 2.01 times');
  });

  it('say that nothing was spent, and name no round before one', () => {
    const before = told({ stored: { events: 0, items: 0, place: 'nowhere' }, sent: { bytes: 0, messages: 0 }, epsilon: { spent: 0, bound: 2, delta: 1e-5 }, lastRound: null, participation: 'off' });
    expect(before).toEqual({
      Stored: '0 events about 0 items: nothing is stored', 'Sent from this page': '0 bytes in 0 messages',
      'Privacy spent': 'Epsilon 0 of at most 2. So far nothing from this device is in any sum of training.', 'Last round': 'None yet', Training: 'Takes no part',
    });
  });

  it('do not hide a spend without bound', () => {
    expect(told({ epsilon: { spent: Infinity, bound: 2, delta: 1e-5 } })['Privacy spent']).toContain('at most ∞ times');
  });
});
