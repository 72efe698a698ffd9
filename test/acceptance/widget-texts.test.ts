import { describe, expect, it } from 'vitest';
import { texts as ar } from '../../client/storefront/widgets/texts/ar.ts';
import { texts as en } from '../../client/storefront/widgets/texts/en.ts';
import { texts as es } from '../../client/storefront/widgets/texts/es.ts';
import { texts as pl } from '../../client/storefront/widgets/texts/pl.ts';
import { languages, type Texts } from '../../client/storefront/widgets/texts/texts.ts';
import { wordCount } from '../../client/storefront/widgets/widgets.ts';

const tables: readonly Texts[] = [en, es, pl, ar];

/** Every text of a table by where it stands. */
function textsOf(table: object, path = ''): Map<string, string> {
  return new Map(Object.entries(table).flatMap(([key, value]: [string, unknown]) => (
    typeof value === 'string' ? [[`${path}${key}`, value] as const] : [...textsOf(value as object, `${path}${key}.`)])));
}

const isPlural = (path: string): boolean => /\.(zero|one|two|few|many)$/.test(path);
const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
const sentences = (text: string): string[] => text.split(/[.:;!?؟؛]+(?:\s|$)/).map((part) => part.trim()).filter((part) => /\p{L}/u.test(part));
const words = (text: string): string[] => text.replace(/\{\w+\}/g, 'it').match(/[\p{L}\p{M}\p{N}’'-]+/gu) ?? [];
const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Texts a person reads as sentences, rather than labels. */
const prose = (table: Texts): string[] => [...textsOf(table).values()].filter((text) => words(text).length >= 8);

/** Vowel groups, without a silent final e: the usual count, within a few in a hundred of a dictionary's. */
function syllables(word: string): number {
  const groups = word.toLowerCase().replace(/(?:[^laeiouy]es|[^aeiouyt]ed|[^laeiouy]e)$/, '').match(/[aeiouy]+/g);
  return Math.max(1, groups?.length ?? 0);
}

/** Flesch-Kincaid grade (Kincaid et al., 1975): the school year in which a text is read with ease. */
function grade(texts: readonly string[]): number {
  const all = texts.flatMap(sentences);
  const counted = all.flatMap(words);
  return 0.39 * (counted.length / all.length) + 11.8 * average(counted.map(syllables)) - 15.59;
}

describe('capability 5: the short notice', () => {
  for (const table of tables) {
    it(`has at most 60 words in ${table.language}, in three bullets`, () => {
      expect(Object.keys(table.notice)).toEqual(['what', 'why', 'where']);
      expect(wordCount(table.notice)).toBeLessThanOrEqual(60);
      expect(Object.values(table.notice).every((text: string) => text.length > 10)).toBe(true);
    });
  }

  it('is read with ease in the eighth school year, and so is the rest of the panel', () => {
    expect(grade(['The sun is hot. We sat on the mat.'])).toBeLessThan(2);
    expect(grade(['Institutional ramifications notwithstanding, differential confidentiality necessitates calibrated perturbation mechanisms.'])).toBeGreaterThan(15);
    expect(grade(Object.values(en.notice))).toBeLessThanOrEqual(8);
    expect(grade(prose(en))).toBeLessThanOrEqual(8);
  });

  for (const table of tables) {
    it(`has sentences of 14 words on average at most in ${table.language}, and none of more than 30`, () => {
      const lengths = prose(table).flatMap(sentences).map((sentence) => words(sentence).length);
      expect(lengths.length).toBeGreaterThan(20);
      expect(average(lengths)).toBeLessThanOrEqual(14);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(30);
    });
  }

  it('is there in every language, and so is every other text, with the same things to fill in', () => {
    expect(tables.map(({ language }) => language)).toEqual(languages);
    const expected = [...textsOf(en)].filter(([path]) => !isPlural(path));
    for (const table of tables) {
      const found = textsOf(table);
      for (const [path, text] of expected) {
        expect(found.get(path)?.trim(), `${table.language} ${path}`).toBeTruthy();
        expect(placeholders(found.get(path) ?? ''), `${table.language} ${path}`).toEqual(placeholders(text));
      }
    }
  });

  it('is translated: no sentence stands in two languages', () => {
    const all = tables.flatMap((table) => [...new Set(prose(table))]);
    expect(all.filter((text, index) => all.indexOf(text) !== index)).toEqual([]);
  });

  it('has the plural forms its language asks for', () => {
    for (const table of tables) {
      const rules = new Intl.PluralRules(table.language);
      for (const forms of [table.shelf.updated, table.panel.events, table.panel.items, table.panel.messages]) {
        const missing = Array.from({ length: 200 }, (_, count) => rules.select(count)).filter((category) => !(category in forms));
        expect(missing, table.language).toEqual([]);
      }
    }
  });
});

describe('capability 29: the widgets promise no more than is so', () => {
  /** What cannot be kept, or cannot be kept at every degree. */
  const forbidden: Readonly<Record<Texts['language'], readonly RegExp[]>> = {
    en: [/anonym/i, /nothing (ever )?leaves/i, /never leaves/i, /stays? (only )?on (your|this) device/i, /(100|hundred) ?(%|percent)/i, /cannot be (identified|traced)/i, /impossible to/i, /guarantee/i, /(fully|completely|totally|perfectly) (private|safe|secure)/i, /zero[- ]risk/i, /military/i, /we never/i, /trust us/i],
    es: [/an[óo]nim/i, /nada sale/i, /no sale nada/i, /nunca sale/i, /garanti[zc]/i, /100 ?%/, /(totalmente|completamente) (privad|segur)/i, /imposible/i, /sin riesgo/i, /jam[áa]s/i],
    pl: [/anonim/i, /nic nie (wychodzi|opuszcza)/i, /nigdy nie (wychodzi|opuszcza)/i, /gwarant/i, /100 ?%/, /(całkowicie|w pełni) (prywatn|bezpieczn)/i, /niemożliw/i, /bez ryzyka/i],
    ar: [/مجهول/, /لا شيء يخرج/, /لا يغادر/, /لا يخرج أبدا/, /نضمن/, /مضمون/, /100 ?[%٪]/, /آمن تماما/, /مستحيل/, /بلا مخاطر/],
  };

  /** What is said when something does leave. */
  const leaves: Readonly<Record<Texts['language'], readonly [leaves: RegExp, noise: RegExp, epsilon: RegExp]>> = {
    en: [/leave/, /noise/, /Epsilon/], es: [/salen/, /ruido/, /Épsilon/], pl: [/wychodzą/, /szum/, /Epsilon/], ar: [/تخرج/, /ضجيج/, /إبسيلون/],
  };

  for (const table of tables) {
    it(`in ${table.language}`, () => {
      const found = [...textsOf(table)].flatMap(([path, text]) => forbidden[table.language].filter((phrase) => phrase.test(text)).map((phrase) => `${path}: ${phrase.source}`));
      expect(found).toEqual([]);
      // The banned words of one language are banned in all.
      expect([...textsOf(table).values()].filter((text) => /anonym|anonim|an[óo]nim|مجهول/i.test(text))).toEqual([]);
      const [leave, noise, epsilon] = leaves[table.language];
      expect(table.degrees[3].means).toMatch(leave);
      expect(table.degrees[3].means).toMatch(noise);
      expect(table.notice.where).toMatch(noise);
      expect(table.panel.withdrawal).toMatch(epsilon);
      expect(table.panel.noise).toMatch(/local.*distributed/);
    });
  }

  it('and the list finds what it forbids', () => {
    const examples: Readonly<Record<Texts['language'], string>> = { en: 'Nothing leaves your device', es: 'No sale nada', pl: 'Nic nie opuszcza urządzenia', ar: 'لا يغادر الجهاز' };
    for (const language of languages) expect(forbidden[language].some((phrase) => phrase.test(examples[language]))).toBe(true);
  });
});
