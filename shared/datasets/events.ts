/**
 * Event files: CSV with a header, or one JSON object a line, with `item_id, shopper_id, timestamp` and
 * optionally `event` (a missing column means purchase), `quantity` (1), `item_name`, `item_category`,
 * `item_brand`, `price` and `degree` (the shopper's consent, 0..3; the latest counts; 3 when nothing is said).
 */
import { degrees } from '../commerce/consent.ts';
import { isEventName, isHistoryEvent, maxIdLength, parseTimestamp } from '../commerce/events.ts';
import type { Catalogue } from '../commerce/catalogue.ts';
import type { HistoryEvent } from '../commerce/events.ts';
import { CestaError } from '../protocol/errors.ts';
import { createTally } from './complaints.ts';
import type { ComplaintKind, Tally } from './complaints.ts';
import { csvTable } from './csv-table.ts';
import type { Dataset } from './dataset.ts';
import { forEachLine } from './lines.ts';
import { productLog } from './product-log.ts';
import type { ProductLog } from './product-log.ts';
import { shopperLog } from './shopper-log.ts';
import type { ShopperLog } from './shopper-log.ts';

export interface EventOptions {
  /** Events that make a history; `['purchase']` unless told. */
  readonly events?: readonly HistoryEvent[] | undefined;
  /** A visit is one value of this column per shopper; without it, a visit is one shopper's UTC day. */
  readonly basketColumn?: string | undefined;
  /** The whole catalogue; without it, the catalogue is what the lines say of their items. */
  readonly catalogue?: Catalogue | undefined;
}

export const neededColumns = ['item_id', 'shopper_id', 'timestamp'] as const;

/** One line as text by column; the empty string where there is nothing. */
export type EventFields = (column: string) => string;

export interface EventCollector {
  add(fields: EventFields, line: number): void;
  dataset(name: string): Dataset;
}

/**
 * @param text A CSV file whose header names at least `neededColumns`, in any order and case.
 * @throws CestaError `data.missing-column`; `config.invalid` for an event that cannot make a history.
 * @example
 * const text = 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\n';
 * loadEventsCsv('orders.csv', text).shoppers[0].id; // 'ana'
 */
export function loadEventsCsv(name: string, text: string, options: EventOptions = {}): Dataset {
  const tally = createTally();
  const collector = eventCollector(options, tally);
  const table = csvTable(text);
  requireColumns(table.columns, options);
  // Of two columns with one name the first counts.
  const position = new Map(table.columns.map((column, index) => [column, index] as const).toReversed());
  let current: readonly string[] = [];
  const fields: EventFields = (column) => {
    const index = position.get(column) ?? position.get(column.toLowerCase());
    return index === undefined ? '' : current[index];
  };
  table.forEach(tally, (record, line) => {
    current = record;
    collector.add(fields, line);
  });
  return collector.dataset(name);
}

/**
 * @param text One JSON object a line; numbers and texts are both taken as values.
 * @throws CestaError `data.missing-column` when no line at all has a needed field; `config.invalid` as above.
 */
export function loadEventsJsonl(name: string, text: string, options: EventOptions = {}): Dataset {
  const tally = createTally();
  const collector = eventCollector(options, tally);
  const found = new Set<string>();
  forEachLine(text, (line, number) => {
    tally.read();
    const object = parseObject(line);
    if (object === undefined) {
      tally.complain('bad-json', number);
      return;
    }
    for (const key in object) found.add(key);
    collector.add((column) => fieldText(object, column), number);
  });
  // Of a file without one readable object the complaints say more than a list of columns would.
  if (found.size > 0) requireColumns([...found], options);
  return collector.dataset(name);
}

/** A JSON object, or undefined. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A text or a number as text; the empty string for anything else. */
export function fieldText(object: Record<string, unknown>, field: string): string {
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function requireColumns(columns: readonly string[], options: EventOptions): void {
  const needed = options.basketColumn === undefined ? neededColumns : [...neededColumns, options.basketColumn];
  const missing = needed.filter((column) => !columns.includes(column) && !columns.includes(column.toLowerCase()));
  if (missing.length > 0) {
    throw new CestaError('data.missing-column', `columns: expected ${needed.join(', ')}, got ${columns.join(', ') || 'none'} (missing: ${missing.join(', ')})`);
  }
}

/** Takes one line after the other, whatever its syntax was. */
export function eventCollector(options: EventOptions, tally: Tally, products: ProductLog = productLog(tally)): EventCollector {
  const selected = new Set<string>(options.events ?? ['purchase']);
  for (const event of selected) {
    if (!isHistoryEvent(event)) throw new CestaError('config.invalid', `events: expected GA4 item events that make a history, got ${JSON.stringify(event)}`);
  }
  if (selected.size === 0) throw new CestaError('config.invalid', 'events: expected at least one event, got none');
  const { basketColumn } = options;
  const shoppers = shopperLog(tally);
  const basketOf = (fields: EventFields, line: number): string | undefined => {
    const basket = basketColumn === undefined ? '' : fields(basketColumn).trim();
    if (basketColumn !== undefined && basket === '') tally.complain('missing-basket', line);
    return basket === '' ? undefined : basket;
  };
  return {
    add(fields, line) {
      // Before anything can drop the line: a withdrawn consent counts even on a line that is otherwise useless.
      noteConsent(fields, shoppers, () => tally.complain('bad-degree', line));
      const checked = checkLine(fields);
      if (typeof checked === 'string') {
        tally.complain(checked, line);
        return;
      }
      const { event, shopper, item, time, quantity } = checked;
      if (options.catalogue === undefined) {
        products.add(item, { title: fields('item_name'), category: fields('item_category'), brand: fields('item_brand'), price: fields('price') }, line);
      } else if (!options.catalogue.indexOf.has(item)) {
        tally.complain('unknown-item', line);
        return;
      }
      const isRefund = event === 'refund' && selected.has('purchase');
      if (!isRefund && !selected.has(event)) {
        tally.complain('not-selected', line);
        return;
      }
      const logged = { shopper, item, time, basket: basketOf(fields, line), quantity, line };
      if (isRefund) shoppers.refund(logged);
      else shoppers.add(event, logged);
    },
    dataset(name) {
      const catalogue = options.catalogue ?? products.catalogue();
      const found = shoppers.shoppers(catalogue.indexOf);
      return { name, catalogue, shoppers: found, report: tally.report() };
    },
  };
}

interface CheckedLine {
  readonly event: string;
  readonly shopper: string;
  readonly item: string;
  readonly time: number;
  readonly quantity: number;
}

/** The line, or what is wrong with it. */
function checkLine(fields: EventFields): CheckedLine | ComplaintKind {
  const shopper = fields('shopper_id').trim();
  if (shopper === '') return 'missing-shopper';
  if (shopper.length > maxIdLength) return 'bad-shopper';
  const item = fields('item_id').trim();
  if (item === '') return 'missing-item';
  if (item.length > maxIdLength) return 'bad-item';
  const event = fields('event').trim().toLowerCase() || 'purchase';
  if (!isEventName(event)) return 'unknown-event';
  const time = parseTimestamp(fields('timestamp'));
  if (time === undefined) return 'bad-timestamp';
  const quantityText = fields('quantity').trim();
  const quantity = quantityText === '' ? 1 : Number(quantityText);
  if (!(quantity > 0 && Number.isFinite(quantity))) return 'bad-quantity';
  return { event, shopper, item, time, quantity };
}

function noteConsent(fields: EventFields, shoppers: ShopperLog, complain: () => void): void {
  const text = fields('degree').trim();
  const shopper = fields('shopper_id').trim();
  const time = text === '' || shopper === '' ? undefined : parseTimestamp(fields('timestamp'));
  if (time === undefined) return;
  const degree = degrees.find((known) => String(known) === text);
  if (degree === undefined) complain();
  shoppers.consent(shopper, time, degree ?? 0);
}
