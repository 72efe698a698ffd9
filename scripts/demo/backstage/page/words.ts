/** Figures in words. Pure. */

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function score(value: number): string {
  return value.toFixed(4);
}
