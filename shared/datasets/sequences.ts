/**
 * Sequence files: one shopper a line, items in their order, separated by spaces, tabs or commas. Each item is
 * a visit of its own; its time is its position, so times of different shoppers say nothing of each other.
 */
import { createCatalogue } from '../commerce/catalogue.ts';
import type { Catalogue } from '../commerce/catalogue.ts';
import { maxIdLength } from '../commerce/events.ts';
import type { ShopperHistory } from '../commerce/history.ts';
import { createTally } from './complaints.ts';
import type { Dataset } from './dataset.ts';
import { forEachLine } from './lines.ts';

export interface SequenceOptions {
  /** Gives the items titles; items it does not have are left out. */
  readonly catalogue?: Catalogue | undefined;
}

/**
 * A shopper's id is the number of their line.
 * @example
 * loadSequences('clicks.txt', 'lamp desk chair\n').shoppers[0].history.visitTimes; // Float64Array [0, 1, 2]
 */
export function loadSequences(name: string, text: string, options: SequenceOptions = {}): Dataset {
  const tally = createTally();
  // Items are numbered as they come and renumbered by the catalogue at the end.
  const sequences: { id: string; items: Int32Array }[] = [];
  const numberOf = new Map<string, number>();
  const numbered = (item: string): number => {
    const known = numberOf.get(item);
    if (known !== undefined) return known;
    numberOf.set(item, numberOf.size);
    return numberOf.size - 1;
  };
  forEachLine(text, (line, number) => {
    tally.read();
    const named = line.split(/[\s,]+/).filter((item) => item !== '');
    const items = named.filter((item) => item.length <= maxIdLength && (options.catalogue?.indexOf.has(item) ?? true));
    if (items.length === 0) {
      tally.complain('missing-item', number);
      return;
    }
    if (items.length < named.length) tally.complain('skipped-items', number);
    sequences.push({ id: String(number), items: Int32Array.from(items, numbered) });
  });
  const catalogue = options.catalogue ?? createCatalogue(Array.from(numberOf.keys(), (id) => ({ id, title: '' })));
  const indexOf = Int32Array.from(numberOf.keys(), (id) => catalogue.indexOf.get(id)!);
  const shoppers = sequences.map(({ id, items }) => ({ id, history: onePerVisit(items.map((item) => indexOf[item])), group: '', degree: 3 as const }));
  return { name, catalogue, shoppers, report: tally.report() };
}

function onePerVisit(items: Int32Array): ShopperHistory {
  return { items, visitStarts: items.map((_, position) => position), visitTimes: Float64Array.from(items, (_, position) => position) };
}
