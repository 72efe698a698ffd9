/**
 * A chart that can be read without being seen: an image with a title and a sentence made of its data, and a table of the
 * same rows below. Plot draws into a detached element, whose own style sheet is taken out: the page's policy allows none.
 */
import type { JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Table, type Cell } from '../parts.tsx';

export interface ChartProps {
  readonly title: string;
  /** What the data say. */
  readonly sentence: string;
  readonly legend?: readonly { readonly mark: string; readonly text: string }[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Draws at this width, in pixels. */
  readonly draw: (width: number) => Element;
}

const narrowest = 220;

export function Chart({ title, sentence, legend = [], columns, rows, draw }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const render = (): void => current.replaceChildren(described(draw(Math.max(narrowest, current.clientWidth)), id, { title, sentence }));
    render();
    let width = current.clientWidth;
    const observer = new ResizeObserver(() => {
      if (current.clientWidth === width) return;
      width = current.clientWidth;
      render();
    });
    observer.observe(current);
    return () => observer.disconnect();
  });
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div class="chart" ref={place} />
      {legend.length > 0 && <ul class="legend">{legend.map(({ mark, text }) => <li key={text}><span class={`swatch ${mark}`} aria-hidden="true" />{text}</li>)}</ul>}
      <p class="quiet">{sentence}</p>
      <details>
        <summary>Show the data<span class="hidden"> of {title}</span></summary>
        <Table caption={title} columns={columns} rows={rows} />
      </details>
    </figure>
  );
}

/** Nothing inside an image has a role of its own. */
function described(drawing: Element, id: string, { title, sentence }: { readonly title: string; readonly sentence: string }): Element {
  const svg = drawing instanceof SVGSVGElement ? drawing : drawing.querySelector('svg');
  if (svg === null) return drawing;
  for (const style of drawing.querySelectorAll('style')) style.remove();
  for (const inner of svg.querySelectorAll('[aria-label], [aria-description], [aria-hidden]')) for (const name of ['aria-label', 'aria-description', 'aria-hidden']) inner.removeAttribute(name);
  const texts = ([['desc', sentence], ['title', title]] as const).map(([name, text]) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    element.id = `${id}-${name}`;
    element.textContent = text;
    svg.prepend(element);
    return element.id;
  });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', texts[1]);
  svg.setAttribute('aria-describedby', texts[0]);
  return drawing;
}
