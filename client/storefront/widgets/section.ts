/** The parts of the privacy panel: each is made again only when what it shows has changed, so that nothing moves under a hand. */
import type { WidgetContext } from './context.ts';
import { make } from './elements.ts';
import type { Words } from './words.ts';

export interface PanelView {
  readonly context: WidgetContext;
  readonly words: Words;
  /** Politely; one thing said replaces the other. */
  readonly say: (text: string) => void;
  readonly fail: (error: unknown) => void;
}

export interface PanelSection {
  /** What it shows, as JSON can hold it. */
  data(): unknown;
  build(): readonly (Node | string)[];
}

/** Puts sections into elements of their own; what it returns brings them up to date. */
export function placeSections(section: HTMLElement, parts: readonly PanelSection[]): () => void {
  const placed = parts.map((part) => ({ part, holder: make('div'), shown: '' }));
  section.append(...placed.map(({ holder }) => holder));
  return () => {
    for (const place of placed) {
      const data = JSON.stringify(place.part.data());
      if (data === place.shown) continue;
      place.shown = data;
      place.holder.replaceChildren(...place.part.build());
    }
  };
}

/** A `<details>` that is as open as the one in whose place it is made. */
export function foldable(name: string): (summary: string, ...children: readonly (Node | string)[]) => HTMLDetailsElement {
  let last: HTMLDetailsElement | null = null;
  return (summary, ...children) => (last = make('details', { open: last?.open ?? false }, make('summary', { 'data-key': `fold:${name}` }, summary), ...children));
}
