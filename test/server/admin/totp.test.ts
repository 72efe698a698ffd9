import { describe, expect, it } from 'vitest';
import { totpStep } from '../../../server/admin/totp.ts';

const secret = new TextEncoder().encode('12345678901234567890');

/** RFC 6238, appendix B, SHA-1: seconds, step, code of eight digits. */
const vectors: [number, number, string][] = [
  [59, 0x1, '94287082'],
  [1111111109, 0x23523ec, '07081804'],
  [1111111111, 0x23523ed, '14050471'],
  [1234567890, 0x273ef07, '89005924'],
  [2000000000, 0x3f940aa, '69279037'],
  [20000000000, 0x27bc86aa, '65353130'],
];

describe('one-time codes', () => {
  it.each(vectors)('are those of RFC 6238 at %i s', (seconds, step, code) => {
    // Both lengths are remainders of the same number.
    expect(totpStep(secret, code.slice(2), seconds * 1000)).toBe(step);
  });

  it('count one step before and after their own, and no further', () => {
    const steps = [-31, -30, 0, 30, 59, 60].map((offset) => totpStep(secret, '005924', (1234567890 + offset) * 1000));
    expect(steps).toEqual([null, ...Array<number>(4).fill(0x273ef07), null]);
  });

  it.each(['', '05924', '0005924', '89005924', 'abcdef', '００５９２４'])('are refused when they are %j', (code) => {
    expect(totpStep(secret, code, 1234567890_000)).toBeNull();
  });
});
