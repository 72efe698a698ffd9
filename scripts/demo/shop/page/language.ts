/** The language of the page: the browser's own if the shop speaks it, until another is chosen. */
import { computed, effect, signal } from '@preact/signals';
import { ar } from './words/ar.ts';
import { en, type Words } from './words/en.ts';
import { es } from './words/es.ts';
import { pl } from './words/pl.ts';

const spoken = { en, es, pl, ar } satisfies Record<string, Words>;
export type Language = keyof typeof spoken;

/** Each by its own name. */
export const languages: Readonly<Record<Language, string>> = { en: 'English', es: 'Español', pl: 'Polski', ar: 'العربية' };

export const language = signal<Language>(preferred());
export const words = computed<Words>(() => spoken[language.value]);
/** Digits as everywhere in this shop, whatever the language. */
export const money = computed(() => new Intl.NumberFormat(`${language.value}-u-nu-latn`, { style: 'currency', currency: 'GBP', currencyDisplay: 'narrowSymbol' }));
export const number = computed(() => new Intl.NumberFormat(`${language.value}-u-nu-latn`));

export function isLanguage(name: string): name is Language {
  return Object.hasOwn(spoken, name);
}

/** Assistive technology and the widgets go by the document. */
export function showLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value;
    document.documentElement.dir = language.value === 'ar' ? 'rtl' : 'ltr';
  });
}

function preferred(): Language {
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isLanguage) ?? 'en';
}
