import { expect, it } from 'vitest';
import type { Cesta } from '../../../../client/storefront/api.ts';
import { defineWidgets } from '../../../../client/storefront/widgets/widgets.ts';

it('a notice of a shop that is no short one is refused, with its language and length', () => {
  const long = Array.from({ length: 59 }, () => 'word').join(' ');
  const define = () => defineWidgets({} as Cesta, { notices: { pl: { what: long, why: 'one', where: 'two' } } });
  expect(define).toThrow('notices.pl: expected at most 60 words, got 61');
});
