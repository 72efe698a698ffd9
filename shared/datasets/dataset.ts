/** What every loader yields: a catalogue, shoppers with histories, and an account of every line that was not used. */
import type { Catalogue } from '../commerce/catalogue.ts';
import type { Degree } from '../commerce/consent.ts';
import type { ShopperHistory } from '../commerce/history.ts';

export interface Shopper {
  /** The shop's own identifier; never leaves the shop. */
  readonly id: string;
  readonly history: ShopperHistory;
  /** The natural group for federations by group (country in the embedded data); empty when unknown. */
  readonly group: string;
  /** The degree of personalisation on record; 3 where the shop vouches for consent by joining. */
  readonly degree: Degree;
}

/** One kind of trouble in a file: how often, and where first. */
export interface Complaint {
  /** Stable name, such as `missing-item`, `bad-timestamp`, `unknown-event`. */
  readonly kind: string;
  /** `dropped`: the line is no part of any history. `repaired`: it is used, less the named part. */
  readonly effect: 'dropped' | 'repaired';
  /** What it means and what was done with the lines: dropped or repaired. */
  readonly text: string;
  readonly count: number;
  /** Line numbers (1-based), the first ten. */
  readonly lines: readonly number[];
}

/** `lines` = `used` + the counts of the complaints that drop a line. */
export interface LoadReport {
  /** Data lines read, without a header. */
  readonly lines: number;
  /** Lines that became part of a history or are duplicates inside a visit. */
  readonly used: number;
  readonly complaints: readonly Complaint[];
}

export interface Dataset {
  readonly name: string;
  readonly catalogue: Catalogue;
  readonly shoppers: readonly Shopper[];
  readonly report: LoadReport;
}
