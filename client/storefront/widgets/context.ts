/** What all widgets of a page share: the SDK, how the shop writes prices and links, and the titles seen so far. */
import type { Cesta } from '../api.ts';
import { loadWords, type Words } from './words.ts';
import type { Language, ShortNotice } from './texts/texts.ts';

export interface WidgetFormat {
  /** Null: no price is shown. */
  readonly price?: (price: number) => string | null;
  /** The address of a picture; without this function cards have none, null leaves one card without. */
  readonly image?: (itemId: string) => string | null;
  /** Without it a card is a button, and the page hears `cesta-select`. */
  readonly link?: (itemId: string) => string;
}

export interface WidgetOptions {
  /** By default that of the nearest `lang`. */
  readonly language?: string;
  readonly format?: WidgetFormat;
  /** The shop's own short notices instead of the widget's; at most 60 words each. */
  readonly notices?: Readonly<Partial<Record<Language, ShortNotice>>>;
}

export interface WidgetContext {
  readonly cesta: Cesta;
  readonly options: WidgetOptions;
  /** By item id. */
  readonly titles: Map<string, string>;
}

/** What a mounted widget is to its element. */
export interface Mounted {
  /** An attribute changed. */
  update(): void;
  unmount(): void;
}

export function wordsFor(host: HTMLElement, { language }: WidgetOptions): Promise<Words> {
  return loadWords(language ?? host.closest('[lang]')?.getAttribute('lang') ?? document.documentElement.lang);
}

/** The language of the words on the element that holds them. The direction is the page's, if it says one and speaks the same language. */
export function speak(element: HTMLElement, host: HTMLElement, { texts }: Words, { language }: WidgetOptions): void {
  element.lang = texts.language;
  if (language !== undefined || host.closest('[dir]') === null) element.dir = texts.direction;
}
