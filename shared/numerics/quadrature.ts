/**
 * Quadrature and one-dimensional search: Gauss-Legendre rules, a bracketed root (Ridders 1979) and a golden
 * section minimum. Plain functions on plain numbers.
 */

export interface QuadratureRule {
  /** Nodes on (-1, 1). */
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** Gauss-Legendre rule of `size` points, by Newton's method on the Legendre recurrence. */
export function gaussLegendre(size: number): QuadratureRule {
  const nodes = new Float64Array(size);
  const weights = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (size + 0.5));
    let slope = 1;
    for (let step = 0; step < 60; step += 1) {
      let previous = 1;
      let value = x;
      for (let n = 2; n <= size; n += 1) {
        [previous, value] = [value, ((2 * n - 1) * x * value - (n - 1) * previous) / n];
      }
      slope = (size * (x * value - previous)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** Integral of `f` over [low, high]. */
export function integrate(rule: QuadratureRule, low: number, high: number, f: (x: number) => number): number {
  const middle = 0.5 * (low + high);
  const half = 0.5 * (high - low);
  let sum = 0;
  for (let i = 0; i < rule.nodes.length; i += 1) sum += rule.weights[i] * f(middle + half * rule.nodes[i]);
  return sum * half;
}

/**
 * A root of a continuous `f` whose signs at `low` and `high` differ: Ridders' method, which halves the
 * bracket at least once in two evaluations. Stops at a relative width of `tolerance`.
 */
export function bracketedRoot(f: (x: number) => number, low: number, high: number, tolerance = 1e-15): number {
  let [a, b] = [low, high];
  let fa = f(a);
  let fb = f(b);
  if (fa === 0) return a;
  if (fb === 0) return b;
  // Also catches NaN: a search that cannot be trusted must not return a number.
  if (!(fa < 0 !== fb < 0) || Number.isNaN(fa + fb)) throw new RangeError(`bracket: expected a change of sign, got ${fa} at ${a} and ${fb} at ${b}`);
  for (let step = 0; step < 200 && Math.abs(b - a) > tolerance * (Math.abs(a) + Math.abs(b)); step += 1) {
    const middle = 0.5 * (a + b);
    const fm = f(middle);
    const scale = Math.sqrt(fm * fm - fa * fb);
    const ridders = scale > 0 && Number.isFinite(scale) ? middle + ((middle - a) * Math.sign(fa - fb) * fm) / scale : middle;
    const x = ridders > Math.min(a, b) && ridders < Math.max(a, b) ? ridders : middle;
    const fx = f(x);
    if (fx === 0) return x;
    if (Math.sign(fm) !== Math.sign(fx)) [a, fa, b, fb] = [middle, fm, x, fx];
    else if (Math.sign(fx) !== Math.sign(fa)) [b, fb] = [x, fx];
    else [a, fa] = [x, fx];
    if (fm === 0) return middle;
  }
  return 0.5 * (a + b);
}

/** A local minimum of `f` in [low, high] by golden section; exact for unimodal functions. */
export function goldenMinimum(f: (x: number) => number, low: number, high: number, tolerance = 1e-9): { at: number; value: number } {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [x1, x2] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [f1, f2] = [f(x1), f(x2)];
  while (b - a > tolerance * (1 + Math.abs(a) + Math.abs(b))) {
    if (f1 <= f2) {
      [b, x2, f2] = [x2, x1, f1];
      x1 = b - ratio * (b - a);
      f1 = f(x1);
    } else {
      [a, x1, f1] = [x1, x2, f2];
      x2 = a + ratio * (b - a);
      f2 = f(x2);
    }
  }
  return f1 <= f2 ? { at: x1, value: f1 } : { at: x2, value: f2 };
}
