/** Beside a shelf: how varied it is, and the way to the degree of personalisation. */
import type { WidgetContext } from './context.ts';
import { make } from './elements.ts';
import { fill, type Words } from './words.ts';

export interface ShelfControls {
  readonly element: HTMLElement;
  /** To what is set now. */
  update(): void;
}

export function makeControls({ cesta }: WidgetContext, words: Words, openPanel: () => void): ShelfControls {
  const { shelf, degrees } = words.texts;
  const range = make('input', {
    type: 'range', part: 'variety', min: 0, max: 1, step: 0.1, 'data-key': 'variety:',
    onchange: () => cesta.set({ diversity: range.valueAsNumber }),
    oninput: () => describe(),
  });
  const degree = make('button', { type: 'button', part: 'button degree', 'aria-haspopup': 'dialog', 'data-key': 'degree:', onclick: openPanel });
  function describe(): void {
    const value = range.valueAsNumber;
    range.setAttribute('aria-valuetext', fill(value < 0.5 ? shelf.lessVariety : shelf.moreVariety, { percent: words.number(value, { style: 'percent' }) }));
  }
  return {
    element: make('div', { class: 'controls', part: 'controls' }, make('label', {}, shelf.variety, range), degree),
    update() {
      const { settings: { diversity }, degree: inForce } = cesta.privacy;
      range.value = String(diversity);
      describe();
      degree.textContent = fill(shelf.degree, { degree: degrees[inForce].name });
    },
  };
}
