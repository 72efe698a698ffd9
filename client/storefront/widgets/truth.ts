/** What the privacy panel says is so, from the state of the SDK alone: pure, so that it can be held against what was measured. */
import type { PrivacyState } from '../api.ts';
import { make } from './elements.ts';
import type { PanelSection, PanelView } from './section.ts';
import { fill, type Words } from './words.ts';

/** Each number with what it is the number of. */
export function truthOf({ stored, sent, epsilon, lastRound, participation }: PrivacyState, words: Words): (readonly [term: string, description: string])[] {
  const { panel } = words.texts;
  return [
    [panel.stored, fill(panel.place[stored.place], { events: words.plural(panel.events, stored.events), items: words.plural(panel.items, stored.items) })],
    [panel.sent, fill(panel.sentIn, {
      bytes: words.number(sent.bytes, { style: 'unit', unit: 'byte', unitDisplay: 'long' }), messages: words.plural(panel.messages, sent.messages),
    })],
    [panel.spent, `${fill(panel.spentOf, { spent: roundedUp(words, epsilon.spent), bound: roundedUp(words, epsilon.bound) })} ${oddsOf(epsilon, words)}`],
    [panel.lastRound, lastRound ?? panel.noRound],
    [panel.takesPart, panel.participation[participation]],
  ];
}

/**
 * Under (epsilon, delta)-differential privacy of adding or removing one shopper, the odds of any bet on whether that shopper was
 * in change by a factor of at most e^epsilon, but for probability delta (Kasiviswanathan and Smith, 2014).
 */
function oddsOf({ spent, delta }: PrivacyState['epsilon'], words: Words): string {
  const { panel } = words.texts;
  if (spent === 0) return panel.nothingSpent;
  return fill(panel.odds, { factor: roundedUp(words, Math.exp(spent)), delta: words.number(delta, { maximumSignificantDigits: 1 }) });
}

/** A bound is rounded up: what is shown is never less than what is so. */
export function roundedUp(words: Words, value: number): string {
  return words.number(Math.max(0, Math.ceil(value * 100 - 1e-9)) / 100, { maximumFractionDigits: 2 });
}

export function truthSection({ context: { cesta }, words }: PanelView): PanelSection {
  return {
    data: () => truthOf(cesta.privacy, words),
    build: () => [
      make('h3', {}, words.texts.panel.numbers),
      make('dl', { part: 'numbers' }, ...truthOf(cesta.privacy, words).flatMap(([term, description]) => [make('dt', {}, term), make('dd', {}, description)])),
    ],
  };
}
