/** Texts in the language of the page: which table, its plurals, numbers and dates. English is here at once, others come when asked for. */
import { texts as english } from './texts/en.ts';
import { languages, type Language, type Plural, type Texts } from './texts/texts.ts';

export interface Words {
  readonly texts: Texts;
  number(value: number, options?: Intl.NumberFormatOptions): string;
  date(iso: string): string;
  plural(forms: Plural, count: number): string;
}

type Filling = Readonly<Record<string, string | number>>;

const others: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ readonly texts: Texts }>>> = {
  es: () => import('./texts/es.ts'),
  pl: () => import('./texts/pl.ts'),
  ar: () => import('./texts/ar.ts'),
};

/** The table for a language tag such as `es-MX`; English where there is none. */
export function languageOf(tag: string): Language {
  const wanted = tag.toLowerCase().split(/[-_]/)[0];
  return languages.find((language) => language === wanted) ?? 'en';
}

/** English where the file of a language cannot be had: words that are not the page's own are better than none. */
export async function loadWords(tag: string): Promise<Words> {
  const language = languageOf(tag);
  return wordsOf(language === 'en' ? english : await others[language]().then((file) => file.texts, () => english), tag);
}

/** @param tag Numbers are as its region writes them, if it is of the language of the texts. */
export function wordsOf(texts: Texts, tag: string = texts.language): Words {
  const locale = localeOf(tag, texts.language);
  const rules = new Intl.PluralRules(locale);
  const words: Words = {
    texts,
    number: (value, options) => new Intl.NumberFormat(locale, options).format(value),
    date: (iso) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso)),
    plural: (forms, count) => fill(forms[rules.select(count)] ?? forms.other, { n: words.number(count) }),
  };
  return words;
}

/** `{name}` becomes its value. */
export function fill(text: string, filling: Filling): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(filling[name] ?? placeholder));
}

/** A page's `lang` is written by hand: what Intl refuses must not take the widget down. */
function localeOf(tag: string, language: Language): string {
  try {
    return Intl.getCanonicalLocales(tag).find((locale) => locale.split('-')[0] === language) ?? language;
  } catch {
    return language;
  }
}
