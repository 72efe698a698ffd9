/** One card of a shelf: picture, title, price, why it is here, and a way to be rid of it. */
import type { ShelfItem } from '../api.ts';
import type { WidgetContext } from './context.ts';
import { around, make } from './elements.ts';
import type { Words } from './words.ts';

export interface CardActions {
  /** Returns whether the link may be followed. */
  readonly select: (item: ShelfItem) => boolean;
  readonly hide: (item: ShelfItem) => void;
}

export function makeCard(item: ShelfItem, { cesta, options: { format = {} } }: WidgetContext, words: Words, actions: CardActions): HTMLLIElement {
  const { item_id: id, price } = item;
  const title = item.title ?? id;
  const picture = format.image?.(id) ?? null;
  const shownPrice = price === undefined ? null : format.price === undefined ? words.number(price, { minimumFractionDigits: 2, maximumFractionDigits: 2 }) : format.price(price);
  const { shelf } = words.texts;
  return make('li', { part: 'card', 'data-item': id },
    // The title beside it says what it shows.
    ...(picture === null ? [] : [make('img', { part: 'image', src: picture, alt: '', width: 200, height: 200, loading: 'lazy', decoding: 'async' })]),
    make('h3', { part: 'title' }, makeLink(item, title, format.link?.(id), actions)),
    ...(shownPrice === null ? [] : [make('p', { part: 'price' }, shownPrice)]),
    make('p', { part: 'reason', class: 'reason' }, ...reasonFor(item, words, cesta.privacy.degree)),
    // At degree 0 nothing is kept, so there is nowhere to remember it.
    ...(cesta.privacy.degree === 0 ? [] : [make('button', {
      type: 'button', part: 'button hide', 'data-key': `hide:${id}`, 'aria-label': shelf.notInterestedIn.replace('{item}', () => title), onclick: () => actions.hide(item),
    }, shelf.notInterested)]));
}

function makeLink(item: ShelfItem, title: string, href: string | undefined, { select }: CardActions): HTMLElement {
  const common = { part: 'link', dir: 'auto', 'data-key': `link:${item.item_id}` };
  if (href === undefined) return make('button', { ...common, type: 'button', onclick: () => void select(item) }, title);
  return make('a', { ...common, href, onclick: (event) => void (select(item) || event.preventDefault()) }, title);
}

function reasonFor({ source, because: [reason] }: ShelfItem, { texts: { shelf: { because } } }: Words, degree: number): (Node | string)[] {
  if (reason === undefined || source === 'popular' || source === 'new') return [because[source === 'similar' ? 'personal' : source]];
  return around(source === 'similar' ? because.similar : degree === 1 ? because.visit : because.device, '{item}', reason.title ?? reason.item_id);
}

/** Cards that show the same are the same elements, so that pictures stay and a click finds what it began on. */
export function cardKey({ item_id, title, price, source, because: [reason] }: ShelfItem, degree: number): string {
  return JSON.stringify([item_id, title, price, source, reason?.item_id, reason?.title, degree]);
}
