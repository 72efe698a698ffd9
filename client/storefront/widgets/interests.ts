/** What the shelves know of this shopper, item by item, each with a way to remove it. */
import { titleOf } from './context.ts';
import { make } from './elements.ts';
import { foldable, type PanelSection, type PanelView } from './section.ts';

/** Titles are looked up for so many items; others go by their ids. */
const titledItems = 200;

export function interestsSection({ context, words: { texts: { panel } } }: PanelView): PanelSection {
  const { cesta, titles } = context;
  const fold = foldable('interests');

  function nameOf(id: string): string {
    return titleOf(context, id, titles.get(id));
  }

  function row(id: string): HTMLElement {
    return make('li', {}, make('span', { dir: 'auto' }, nameOf(id)), make('button', {
      type: 'button', part: 'button remove', 'data-key': `remove:${id}`, 'aria-label': panel.removeItem.replace('{item}', () => nameOf(id)), onclick: () => cesta.removeFromHistory(id),
    }, panel.remove));
  }

  return {
    data() {
      const { events, unwanted } = cesta.interests();
      return [[...new Set(events.map(({ item_id }) => item_id).reverse())], unwanted, cesta.release === null];
    },
    build() {
      const { events, unwanted } = cesta.interests();
      if (cesta.release !== null && events.length > 0) {
        for (const { item_id, title } of cesta.recentlyViewed({ limit: titledItems })) if (title !== undefined) titles.set(item_id, title);
      }
      const ids = [...new Set(events.map(({ item_id }) => item_id).reverse())];
      return [fold(panel.interests,
        ids.length === 0 ? make('p', {}, panel.noInterests) : make('ul', { part: 'interests', class: 'items' }, ...ids.map(row)),
        ...(unwanted.length === 0 ? [] : [make('p', {}, panel.unwanted), make('ul', { part: 'unwanted', class: 'items' }, ...unwanted.map((id) => make('li', {}, make('span', { dir: 'auto' }, nameOf(id)))))]))];
    },
  };
}
