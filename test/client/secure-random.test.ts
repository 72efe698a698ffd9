import { describe, expect, it, vi } from 'vitest';
import { fillSecurely, systemRandom, uniformSecurely } from '../../client/secure-random.ts';

describe('secure randomness', () => {
  it('asks the platform for at most 65,536 bytes a call, and fills everything', () => {
    const spy = vi.spyOn(globalThis.crypto, 'getRandomValues');
    const bytes = new Uint8Array(200_000);
    fillSecurely(bytes);
    expect(spy.mock.calls.map(([view]) => view?.byteLength)).toEqual([65_536, 65_536, 65_536, 3_392]);
    spy.mockRestore();
    // 1,000 zero bytes in a row have a probability of 2^-8000.
    for (let start = 0; start < bytes.length; start += 1_000) expect(bytes.subarray(start, start + 1_000).some((byte) => byte !== 0)).toBe(true);
  });

  it('never repeats a word stream, and is of the kind that noise accepts', () => {
    const draw = () => {
      const random = systemRandom();
      return Array.from({ length: 8 }, () => random.nextUint32()).join();
    };
    expect(systemRandom().kind).toBe('secure');
    expect(draw()).not.toBe(draw());
  });

  it('is uniform in [0, 1) where a number is wanted', () => {
    const values = Array.from({ length: 10_000 }, uniformSecurely);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    // The mean of 10,000 uniforms has a standard deviation of .0029; 6 of them are exceeded once in 5e8 runs.
    expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length - 0.5)).toBeLessThan(6 * 0.0029);
  });
});
