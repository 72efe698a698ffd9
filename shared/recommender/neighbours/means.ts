/** Sums and means in one order, so that they round in one way. */

export function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** 0 for no values. */
export function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : total(values) / values.length;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
