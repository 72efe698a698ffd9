/** What the process that measures tells the demo, line by line. */
import type { ComparisonRow } from './comparison.ts';
import type { ExampleShelf } from './example-shelf.ts';

export interface MeasuredRelease {
  readonly version: number;
  /** Its name, as plans have it. */
  readonly round: string;
  /** Up to whose end shops trained. */
  readonly month: string;
  /** Shops in its sum. */
  readonly shops: number;
  readonly row: ComparisonRow;
  /** Share of test shoppers who have the item that a malicious shop would push on their first 20. */
  readonly exposure: number;
  /** Spent up to it; null in mode none. */
  readonly epsilon: number | null;
}

export interface PushTarget {
  readonly item: string;
  readonly title: string;
  /** Honest shoppers who bought it. */
  readonly buyers: number;
  readonly testShoppers: number;
}

export type Finding =
  | ({ readonly kind: 'target' } & PushTarget)
  | { readonly kind: 'baseline'; readonly row: ComparisonRow }
  | { readonly kind: 'release'; readonly release: MeasuredRelease }
  /** No further release will come, and all are measured. */
  | { readonly kind: 'over'; readonly message: string; readonly shelf: ExampleShelf | null };
