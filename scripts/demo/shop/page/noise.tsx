/** A message as whoever reads it sees it: its own first numbers, one square each. */
import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { number, words } from './language.ts';
import type { Report } from './traffic.ts';

const columns = 64;

export function Noise({ report: { numbers } }: { readonly report: Report }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => canvas.current === null ? undefined : draw(canvas.current, numbers), [numbers]);
  return <canvas ref={canvas} class="noise" role="img" width={columns} height={Math.ceil(numbers.length / columns)} aria-label={words.value.drawer.picture(number.value.format(numbers.length))} />;
}

/** The greater its magnitude, the lighter; all of one magnitude are black. */
function draw(canvas: HTMLCanvasElement, numbers: Int32Array): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const low = numbers.reduce((least, value) => Math.min(least, value), Infinity);
  const high = numbers.reduce((most, value) => Math.max(most, value), -Infinity);
  numbers.forEach((value, index) => image.data.set([...new Array<number>(3).fill(high === low ? 0 : ((value - low) / (high - low)) * 255), 255], index * 4));
  context.putImageData(image, 0, 0);
}
