import { describe, expect, it } from 'vitest';
import { robustOf } from '../../scripts/cli/robust-options.ts';

describe('what the command line says of robust rules', () => {
  it('withstands one spoilt report, or group, if no number is given', () => {
    expect(robustOf({})).toEqual({});
    expect(robustOf({ robust: 'krum' })).toEqual({ robust: { rule: 'krum', byzantine: 1 } });
    expect(robustOf({ robust: 'median', byzantine: 2, groups: 5 })).toEqual({ robust: { rule: 'median', byzantine: 2, groups: 5 } });
  });

  it('has no numbers without a rule', () => {
    const refusal = (text: string): Error => expect.objectContaining({ code: 'usage.invalid', message: text }) as Error;
    expect(() => robustOf({ byzantine: 1 })).toThrow(refusal('--byzantine: expected --robust with it, got none'));
    expect(() => robustOf({ groups: 3 })).toThrow(refusal('--groups: expected --robust with it, got none'));
  });
});
