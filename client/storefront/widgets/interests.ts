/** What the shelves know of this shopper, item by item, each with a way to remove it. */
import { make } from './elements.ts';
import { foldable, type PanelSection, type PanelView } from './section.ts';

/** Titles are looked up for so many items; others go by their ids. */
const titledItems = 200;

export function interestsSection({ context: { cesta, titles }, words: { texts: { panel } } }: PanelView): PanelSection {
  const fold = foldable('interests');

  /** Newest first. What was merely shown is no interest. */
  function interests(): { readonly ids: readonly string[]; readonly unwanted: readonly string[] } {
    const { events, unwanted } = cesta.interests();
    return { ids: [...new Set(events.filter(({ event }) => event !== 'view_item_list').map(({ item_id }) => item_id).reverse())], unwanted };
  }

  function titleOf(id: string): string {
    return titles.get(id) ?? id;
  }

  function row(id: string): HTMLElement {
    return make('li', {}, make('span', { dir: 'auto' }, titleOf(id)), make('button', {
      type: 'button', part: 'button remove', 'data-key': `remove:${id}`, 'aria-label': panel.removeItem.replace('{item}', () => titleOf(id)), onclick: () => cesta.removeFromHistory(id),
    }, panel.remove));
  }

  return {
    data() {
      const { ids, unwanted } = interests();
      return [ids, unwanted, cesta.release === null];
    },
    build() {
      const { ids, unwanted } = interests();
      if (cesta.release !== null && ids.length > 0) {
        for (const { item_id, title } of cesta.recentlyViewed({ limit: titledItems })) if (title !== undefined) titles.set(item_id, title);
      }
      return [fold(panel.interests,
        ids.length === 0 ? make('p', {}, panel.noInterests) : make('ul', { part: 'interests', class: 'items' }, ...ids.map(row)),
        ...(unwanted.length === 0 ? [] : [make('p', {}, panel.unwanted), make('ul', { part: 'unwanted', class: 'items' }, ...unwanted.map((id) => make('li', {}, make('span', { dir: 'auto' }, titleOf(id)))))]))];
    },
  };
}
