import { describe, expect, it } from 'vitest';
import { texts as arabic } from '../../../../client/storefront/widgets/texts/ar.ts';
import { texts as english } from '../../../../client/storefront/widgets/texts/en.ts';
import { texts as polish } from '../../../../client/storefront/widgets/texts/pl.ts';
import { fill, languageOf, loadWords, wordsOf } from '../../../../client/storefront/widgets/words.ts';

describe('the language of the widgets', () => {
  it('is that of the tag, whatever its region or case, and English where there is no table', () => {
    expect(['pl', 'es-MX', 'AR-eg', 'en', 'de', '', 'x'].map(languageOf)).toEqual(['pl', 'es', 'ar', 'en', 'en', 'en', 'en']);
  });

  it('comes with the numbers of its region, and not with those of a language it does not speak', async () => {
    expect((await loadWords('es-MX')).number(1234.5)).toBe('1,234.5');
    expect((await loadWords('es-ES')).number(12345.5)).toBe('12.345,5');
    const fallback = await loadWords('de-DE');
    expect(fallback.texts.language).toBe('en');
    expect(fallback.number(1234.5)).toBe('1,234.5');
  });

  it('survives a tag that is none', async () => {
    expect((await loadWords('pl_PL@euro')).number(1.5)).toBe('1,5');
    expect((await loadWords('???')).texts.language).toBe('en');
  });
});

it('the short notice has sixty words at most in each language, and names what is measured and recorded', async () => {
  for (const [language, words] of [['en', /record.*measure/], ['es', /registrar.*medir/], ['pl', /zapisać.*pomiaru/], ['ar', /يسجّل.*والقياس/]] as const) {
    const { what, why, where } = (await loadWords(language)).texts.notice;
    expect([what, why, where].join(' ').split(/\s+/).length, language).toBeLessThanOrEqual(60);
    expect(where, language).toMatch(words);
  }
});

describe('plurals', () => {
  it('have the forms of Polish', () => {
    const words = wordsOf(polish);
    expect([1, 2, 5, 12, 22, 25].map((count) => words.plural(polish.panel.events, count)))
      .toEqual(['1 zdarzenie', '2 zdarzenia', '5 zdarzeń', '12 zdarzeń', '22 zdarzenia', '25 zdarzeń']);
  });

  it('have the six forms of Arabic', () => {
    const words = wordsOf(arabic);
    expect([0, 1, 2, 3, 11, 100].map((count) => words.plural(arabic.panel.events, count).replace(/[\d٠-٩]+/, '#')))
      .toEqual(['# حدث', 'حدث واحد', 'حدثان', '# أحداث', '# حدثا', '# حدث']);
  });

  it('write large numbers as the language does', () => {
    expect(wordsOf(english).plural(english.panel.events, 12345)).toBe('12,345 events');
  });
});

it('a filled text keeps a placeholder that nothing fills, and takes values as they are', () => {
  expect(fill('{a} and {b}', { a: '$& {b}' })).toBe('$& {b} and {b}');
});
