/** The privacy panel: the choice, what is true of this shopper's data now, and what they can do with it. Loaded when a page shows it. */
import { speak, type WidgetContext } from './context.ts';
import { dataSection, receiptsSection } from './data-rights.ts';
import { degreeSection, errorText, noticeSection } from './degree-control.ts';
import { announce, make } from './elements.ts';
import { keepFocus } from './focus.ts';
import { interestsSection } from './interests.ts';
import { placeSections, type PanelView } from './section.ts';
import { panelStyles } from './privacy-styles.ts';
import { switchesSection } from './switches.ts';
import { truthSection } from './truth.ts';
import type { Words } from './words.ts';

/** Returns what brings it up to date. */
export function fillPanel(host: HTMLElement, root: ShadowRoot, context: WidgetContext, words: Words): () => void {
  const heading = make('h2', { id: 'heading', part: 'heading', tabindex: -1 }, words.texts.panel.heading);
  const [status, alert] = [make('p', { role: 'status' }), make('p', { role: 'alert' })];
  const section = make('section', { part: 'panel', 'aria-labelledby': 'heading' }, heading);
  speak(section, host, words, context.options);
  const view: PanelView = {
    context, words,
    say(text) {
      status.textContent = text;
      alert.textContent = '';
    },
    fail(error) {
      status.textContent = '';
      alert.textContent = errorText(error, view);
      announce(host, 'cesta-error', error);
    },
  };
  const parts = [noticeSection, degreeSection, truthSection, switchesSection, interestsSection, dataSection, receiptsSection];
  const update = placeSections(section, parts.map((part) => part(view)));
  section.append(make('div', { class: 'said', part: 'message' }, status, alert));
  root.adoptedStyleSheets = panelStyles();
  root.replaceChildren(section);
  return () => keepFocus(root, heading, update);
}
