import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../shared/numerics/random.ts';
import { createPoissonSample } from '../../shared/privacy/poisson-sample.ts';

describe('a Poisson sample', () => {
  it.each([0.001, 0.25, 0.9])('takes units at rate %d', (rate) => {
    const takes = createPoissonSample({ rate, random: seededRandom(3, `sample ${rate}`) });
    const units = 200_000;
    let taken = 0;
    for (let unit = 0; unit < units; unit += 1) if (takes()) taken += 1;
    expect(Math.abs(taken - units * rate)).toBeLessThan(6 * Math.sqrt(units * rate * (1 - rate)));
  });

  it('takes everybody at rate 1 without drawing', () => {
    const takes = createPoissonSample({ rate: 1, random: { nextUint32: () => { throw new Error('drawn'); } } });
    expect([takes(), takes()]).toEqual([true, true]);
  });

  it('never exceeds its rate: the largest draw below it is taken, the rate itself is not', () => {
    const words = (high: number, low: number) => { const values = [high << 5, low << 6]; return { nextUint32: () => (values.shift() ?? 0) >>> 0 }; };
    // 0.5 is 2^26 * 2^26 grains.
    expect(createPoissonSample({ rate: 0.5, random: words(2 ** 26 - 1, 2 ** 26 - 1) })()).toBe(true);
    expect(createPoissonSample({ rate: 0.5, random: words(2 ** 26, 0) })()).toBe(false);
  });

  it.each([0, -0.1, 1.1, NaN])('refuses rate %d', (rate) => {
    expect(() => createPoissonSample({ rate, random: seededRandom(1, 'none') })).toThrow('sampling');
  });
});
