/** Ticks of an axis that counts things: whole numbers, as many as there is room for. Pure. */
export function wholeTicks(from: number, to: number, most: number): number[] {
  const step = Math.max(1, Math.ceil((to - from) / Math.max(1, most - 1)));
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** So many fit beside one another on a drawing of this width, in pixels. */
export function ticksFor(width: number): number {
  return Math.max(2, Math.min(12, Math.floor(width / 80)));
}
