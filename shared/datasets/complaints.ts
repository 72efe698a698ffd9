/** The one table of what can be wrong with a line, and the tally that makes sure no line is lost in silence. */
import type { Complaint, LoadReport } from './dataset.ts';

export const complaintTable = {
  'field-count': { effect: 'dropped', text: 'More or fewer fields than the header names: dropped.' },
  'bad-quotes': { effect: 'dropped', text: 'A quote is opened and never closed, or closed inside a field: dropped.' },
  'bad-json': { effect: 'dropped', text: 'Not a JSON object: dropped.' },
  'missing-shopper': { effect: 'dropped', text: 'No shopper id: dropped.' },
  'bad-shopper': { effect: 'dropped', text: 'The shopper id is longer than 256 characters: dropped.' },
  'missing-item': { effect: 'dropped', text: 'No item id: dropped.' },
  'bad-item': { effect: 'dropped', text: 'The item id is longer than 256 characters: dropped.' },
  'unknown-event': { effect: 'dropped', text: 'The event is none of the GA4 item events: dropped.' },
  'bad-timestamp': { effect: 'dropped', text: 'The timestamp is neither ISO 8601 nor unix time: dropped.' },
  'bad-quantity': { effect: 'dropped', text: 'The quantity is not a number above zero: dropped.' },
  'bad-rating': { effect: 'dropped', text: 'The rating is not a number: dropped.' },
  'low-rating': { effect: 'dropped', text: 'Rated below what counts as liked: dropped.' },
  'not-selected': { effect: 'dropped', text: 'Of an event that does not make a history here: dropped.' },
  'unknown-item': { effect: 'dropped', text: 'The item is not in the given catalogue: dropped.' },
  'refund': { effect: 'dropped', text: 'A refund, taken from the latest purchases of the item by this shopper.' },
  'refund-unmatched': { effect: 'dropped', text: 'A refund of something this shopper had not bought before: dropped.' },
  'refunded': { effect: 'dropped', text: 'A purchase that was refunded in full: dropped.' },
  'exact-duplicate': { effect: 'repaired', text: 'The same event of the same shopper, item and time again: a history holds it once.' },
  'skipped-items': { effect: 'repaired', text: 'Some items of the line have ids longer than 256 characters or are not in the given catalogue: they are left out.' },
  'missing-basket': { effect: 'repaired', text: 'No value in the basket column: the visit is the UTC day instead.' },
  'bad-degree': { effect: 'repaired', text: 'The degree is none of 0, 1, 2, 3: read as 0, so that nothing is used without consent.' },
  'bad-price': { effect: 'repaired', text: 'The price is not a number of zero or more: the price is ignored.' },
  'long-text': { effect: 'repaired', text: 'A title, category or brand is longer than a catalogue takes: it is cut.' },
  'catalogue-line': { effect: 'dropped', text: 'A line of the catalogue file that is no product: dropped.' },
  'catalogue-duplicate': { effect: 'dropped', text: 'A line of the catalogue file with an id seen before: the first is kept.' },
} as const satisfies Record<string, Pick<Complaint, 'effect' | 'text'>>;

export type ComplaintKind = keyof typeof complaintTable;

/** How many line numbers a complaint keeps. */
const keptLines = 10;

export interface Tally {
  /** Counts one data line as read. */
  read(): void;
  complain(kind: ComplaintKind, line: number): void;
  /** In the order of the table. */
  report(): LoadReport;
}

export function createTally(): Tally {
  const found = new Map<ComplaintKind, { count: number; lines: number[] }>();
  let lines = 0;
  return {
    read: () => {
      lines += 1;
    },
    complain(kind, line) {
      const entry = found.get(kind) ?? { count: 0, lines: [] };
      found.set(kind, entry);
      entry.count += 1;
      keepSmallest(entry.lines, line);
    },
    report() {
      const kinds = Object.keys(complaintTable) as ComplaintKind[];
      const complaints = kinds.filter((kind) => found.has(kind)).map((kind) => ({ kind, ...complaintTable[kind], ...found.get(kind)! }));
      const dropped = complaints.reduce((sum, complaint) => (complaint.effect === 'dropped' ? sum + complaint.count : sum), 0);
      return { lines, used: lines - dropped, complaints };
    },
  };
}

/** Refunds and duplicates are found shopper by shopper, not in the order of the file. */
function keepSmallest(lines: number[], line: number): void {
  if (lines.length === keptLines && line >= lines[keptLines - 1]) return;
  const after = lines.findIndex((kept) => kept > line);
  lines.splice(after === -1 ? lines.length : after, 0, line);
  if (lines.length > keptLines) lines.pop();
}
