/** `<cesta-shelf>`: recommendations as cards, made again on each change, with the reader's place kept. */
import type { ShelfItem } from '../api.ts';
import { speak, wordsFor, type Mounted, type WidgetContext } from './context.ts';
import { announce, coalesced, emptyRoot, make } from './elements.ts';
import { keepFocus } from './focus.ts';
import { noteImpressions } from './impressions.ts';
import { cardKey, makeCard, type CardActions } from './shelf-card.ts';
import { makeControls, type ShelfControls } from './shelf-controls.ts';
import { shelfRequest, surfaceOf } from './shelf-request.ts';
import { shelfStyles } from './styles.ts';
import type { Words } from './words.ts';

/** A burst of changes is told once, when it is over. */
const quietMs = 1_000;

type View = { readonly kind: 'coming' } | { readonly kind: 'failed' } | { readonly kind: 'items'; readonly items: readonly ShelfItem[] };

export function mountShelf(host: HTMLElement, context: WidgetContext): Mounted {
  const { cesta, options } = context;
  const frame = layOut(host, options.format?.image !== undefined);
  const impressions = noteImpressions(cesta);
  const announcer = makeAnnouncer(frame.status);
  let spoken: { readonly words: Words; readonly controls: ShelfControls; readonly list: (items: readonly ShelfItem[]) => void; readonly say: (view: View) => void } | null = null;
  let isReady = false;
  let isOver = false;

  const fail = (error: unknown): void => void announce(host, 'cesta-error', error);

  function view(): View {
    if (cesta.release === null) return { kind: isReady ? 'failed' : 'coming' };
    try {
      return { kind: 'items', items: cesta.recommend(shelfRequest((name) => host.getAttribute(name))) };
    } catch (error) {
      fail(error);
      return { kind: 'failed' };
    }
  }

  const render = (): void => {
    if (isOver) return;
    const { section, heading, list } = frame;
    heading.textContent = host.getAttribute('heading') ?? spoken?.words.texts.shelf.heading[surfaceOf(shelfRequest((name) => host.getAttribute(name)))] ?? '';
    const now: View = spoken === null ? { kind: 'coming' } : view();
    section.ariaBusy = String(now.kind === 'coming');
    if (spoken === null || now.kind === 'coming') return list.replaceChildren(...placeholders(host));
    const { words, controls, say } = spoken;
    const items = now.kind === 'items' ? now.items : [];
    keepFocus(frame.root, heading, () => spoken?.list(items));
    list.hidden = items.length === 0;
    say(now);
    controls.update();
    announcer.heard(items, (count) => words.plural(words.texts.shelf.updated, count));
  };
  const later = coalesced(render);

  render();
  void wordsFor(host, options).then((words) => {
    if (isOver) return;
    speak(frame.section, host, words, options);
    const controls = makeControls(context, words, () => openPanel(host, frame.root, words, context));
    frame.controls.replaceWith(controls.element);
    const say = messenger(frame.message, words, () => void cesta.refresh().catch(fail));
    spoken = { words, controls, say, list: cardList(frame.list, context, words, impressions.watch, { select: (item) => select(host, item, context), hide: (item) => cesta.notInterested(item.item_id) }) };
    later();
  });
  void Promise.all([cesta.ready, cesta.loaded]).catch(fail).finally(() => {
    isReady = true;
    later();
  });
  const unsubscribe = cesta.subscribe(later);
  return {
    update: later,
    unmount() {
      isOver = true;
      unsubscribe();
      impressions.close();
      announcer.close();
    },
  };
}

function layOut(host: HTMLElement, withPictures: boolean) {
  const root = emptyRoot(host);
  root.adoptedStyleSheets = shelfStyles();
  const heading = make('h2', { id: 'heading', part: 'heading', tabindex: -1 });
  const status = make('p', { role: 'status', class: 'unseen' });
  const list = make('ul', { part: 'list', ...(withPictures ? { class: 'pictures' } : {}) });
  const message = make('div', { part: 'message' });
  const controls = make('div', { class: 'controls' });
  const section = make('section', { part: 'shelf', 'aria-labelledby': 'heading' }, heading, list, message, controls, status);
  root.append(section);
  return { root, section, heading, list, message, controls, status };
}

/** As many and as large as the cards will be, so that nothing moves when they come. */
function placeholders(host: HTMLElement): HTMLElement[] {
  const { limit } = shelfRequest((name) => host.getAttribute(name));
  return Array.from({ length: Number.isFinite(limit) ? Math.min(limit, 100) : 0 }, () => make('li', { class: 'coming', part: 'card placeholder', 'aria-hidden': 'true' }));
}

/** A message that goes on stays the elements it is: the keyboard may be on its button, and an alert is read out once. */
function messenger(message: HTMLElement, { texts: { shelf } }: Words, retry: () => void): (view: View) => void {
  const failed = [make('p', { role: 'alert' }, shelf.failed), make('button', { type: 'button', part: 'button retry', 'data-key': 'retry:', onclick: retry }, shelf.retry)];
  const empty = [make('p', {}, shelf.empty)];
  return (view) => {
    const wanted = view.kind === 'failed' ? failed : view.kind === 'items' && view.items.length === 0 ? empty : [];
    if (message.firstChild !== (wanted[0] ?? null)) message.replaceChildren(...wanted);
  };
}

/** Puts cards in order; those that show the same as before stay the elements they are. */
function cardList(list: HTMLElement, context: WidgetContext, words: Words, watch: (cards: readonly HTMLElement[]) => void, actions: CardActions): (items: readonly ShelfItem[]) => void {
  let cards = new Map<string, HTMLElement>();
  return (items) => {
    const { degree } = context.cesta.privacy;
    const fresh: HTMLElement[] = [];
    const make = (item: ShelfItem): HTMLElement => {
      const card = makeCard(item, context, words, actions);
      fresh.push(card);
      return card;
    };
    for (const { item_id, title } of items) if (title !== undefined) context.titles.set(item_id, title);
    const next = new Map(items.map((item) => {
      const key = cardKey(item, degree);
      return [key, cards.get(key) ?? make(item)] as const;
    }));
    cards = next;
    const wanted = [...next.values()];
    for (const child of [...list.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
    wanted.forEach((card, index) => {
      if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
    });
    watch(fresh);
  };
}

/** Tells that a shelf is another one: never the first, and not before changes have come to rest. */
function makeAnnouncer(status: HTMLElement) {
  let told: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    heard(items: readonly ShelfItem[], text: (count: number) => string): void {
      const order = items.map(({ item_id }) => item_id).join('\n');
      clearTimeout(timer);
      if (told === null) told = order;
      if (told === order) return;
      timer = setTimeout(() => {
        told = order;
        status.textContent = text(items.length);
      }, quietMs);
    },
    close: () => clearTimeout(timer),
  };
}

function select(host: HTMLElement, item: ShelfItem, { cesta }: WidgetContext): boolean {
  cesta.track('select_item', [{ item_id: item.item_id }]);
  return announce(host, 'cesta-select', item);
}

/** In a dialog, unless the page has a place of its own for it and says so by preventing `cesta-privacy-open`. */
function openPanel(host: HTMLElement, root: ShadowRoot, words: Words, { options }: WidgetContext): void {
  if (!announce(host, 'cesta-privacy-open')) return;
  const dialog = make('dialog', { part: 'dialog', 'aria-label': words.texts.panel.heading, onclose: () => dialog.remove() },
    make('button', { type: 'button', part: 'button close', onclick: () => dialog.close() }, words.texts.shelf.close),
    document.createElement('cesta-privacy'));
  speak(dialog, host, words, options);
  root.append(dialog);
  dialog.showModal();
}
