import { describe, expect, it } from 'vitest';
import { binomialUpperTail, erfcx, log1mExp, logAddExp, logGamma, logNormalCdf, logNormalInterval, logSumExp, millsRatio, normalCdf } from '../../shared/numerics/special.ts';

/** Values of mpmath at 50 digits. */
const expectRelative = (got: number, expected: number, tolerance: number): void => {
  expect(Math.abs(got - expected) / Math.abs(expected)).toBeLessThan(tolerance);
};

describe('special functions', () => {
  it.each([
    [0.1, 0.896456979969126642], [0.3, 0.734599334567655142], [0.5, 0.615690344192925875], [1, 0.427583576155807004],
    [2, 0.255395676310505744], [5.9, 0.094307136148327032], [6.1, 0.0912943003686838298], [50, 0.0112815362653237725],
    [-1, 5.00898008076228347], [-5, 144009798674.66104],
  ])('erfcx(%f) is exact to rounding', (x, expected) => {
    expectRelative(erfcx(x), expected, 2e-15);
  });

  it('erfcx is smooth where its three formulas meet', () => {
    for (const x of [0.5, 6]) expectRelative(erfcx(x - 1e-9), erfcx(x + 1e-9), 5e-9);
  });

  it.each([
    [-300, -45006.6227321186634], [-40, -804.608442013753788], [-5, -15.0649983939887257], [-1, -1.84102164500926351],
    [-0.5, -1.17591176159361861], [0.5, -0.368946415288656393], [3, -0.0013508099647481938], [8, -6.22096057427178606e-16],
  ])('log Phi(%f) keeps its digits in both tails', (z, expected) => {
    expectRelative(logNormalCdf(z), expected, 1e-14);
  });

  it('log Phi covers the infinities', () => {
    expect(logNormalCdf(-Infinity)).toBe(-Infinity);
    expect(logNormalCdf(Infinity)).toBeCloseTo(0, 15);
    expect(normalCdf(0)).toBe(0.5);
    expectRelative(millsRatio(3), 0.3045902987101032, 1e-13);
  });

  it.each([
    [8, 8.001, -39.8306913118549768], [-3, 2, -0.0243951875548873461], [20, Infinity, -203.917155371097264],
    [-1e-9, 1e-9, -20.9490571895911386], [0.2, 0.9, -1.44104556312530917],
  ])('the mass of (%f, %f] under a normal keeps its digits', (low, high, expected) => {
    expectRelative(logNormalInterval(low, high), expected, 2e-12);
  });

  it('an empty interval has no mass', () => {
    expect(logNormalInterval(1, 1)).toBe(-Infinity);
    expect(logNormalInterval(2, 1)).toBe(-Infinity);
  });

  it.each([[0.5, 0.572364942924700087], [3, 0.693147180559945309], [100.25, 360.284559637764235], [1e6, 12815504.5691476117]])('log Gamma(%f)', (x, expected) => {
    expectRelative(logGamma(x), expected, 1e-14);
  });

  it.each([[1000, 0.3, 350, 0.000373870105440389388], [1000, 0.3, 250, 0.999801452673766959], [20, 0.001, 15, 1.54314616708611884e-41]])(
    'P[Bin(%i, %f) >= %i]', (n, p, c, expected) => {
      expectRelative(binomialUpperTail(n, p, c), expected, 1e-11);
    });

  it('a binomial tail covers its ends', () => {
    expect(binomialUpperTail(10, 0.3, 0)).toBe(1);
    expect(binomialUpperTail(10, 0.3, 11)).toBe(0);
    expect(binomialUpperTail(10, 0, 1)).toBe(0);
    expect(binomialUpperTail(10, 1, 10)).toBe(1);
  });

  it('sums in logs survive what would overflow', () => {
    expect(logAddExp(1000, 1000)).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logSumExp([-2000, -2000])).toBeCloseTo(-2000 + Math.LN2, 12);
    expect(logSumExp([])).toBe(-Infinity);
    expect(log1mExp(-1e-20)).toBeCloseTo(Math.log(1e-20), 10);
    expect(log1mExp(-50)).toBeCloseTo(-Math.exp(-50), 30);
  });
});
