/**
 * Builds the embedded data set from the published CSV (InvoiceNo, StockCode, Description, Quantity,
 * InvoiceDate, UnitPrice, CustomerID, Country), once:
 *
 *     npx tsx scripts/datasets/build-online-retail.ts online-retail.csv
 *
 * A visit is an invoice. Dropped: lines without a customer, cancellations (invoice starting with C),
 * quantities of zero or less, stock codes that do not start with five digits (postage, fees, samples).
 * A customer's group is the country of most of their lines; a price is the median unit price in GBP.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import type { Catalogue, Product } from '../../shared/commerce/catalogue.ts';
import { historyOf, visitCount } from '../../shared/commerce/history.ts';
import type { Visit } from '../../shared/commerce/history.ts';
import { encodeDataset } from '../../shared/datasets/compact-dataset.ts';
import type { Complaint, Dataset, Shopper } from '../../shared/datasets/dataset.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

interface Line {
  readonly number: number;
  readonly invoice: string;
  readonly item: string;
  readonly title: string;
  readonly quantity: number;
  /** Unix time in seconds, local time read as UTC. */
  readonly time: number;
  readonly price: number;
  readonly shopper: string;
  readonly country: string;
}

/** In this order: a line that two rules drop is counted by the first. */
const rules: readonly { kind: string; text: string; drops: (line: Line) => boolean }[] = [
  { kind: 'missing-shopper', text: 'No customer number: dropped.', drops: (line) => line.shopper === '' },
  { kind: 'cancellation', text: 'The invoice is a cancellation: dropped.', drops: (line) => line.invoice.startsWith('C') },
  { kind: 'bad-quantity', text: 'The quantity is zero or negative: dropped.', drops: (line) => !(line.quantity > 0) },
  { kind: 'not-a-product', text: 'The stock code is postage, a fee or a sample: dropped.', drops: (line) => !/^\d{5}/.test(line.item) },
];

function readLines(csv: string): Line[] {
  const rows = parse(csv, { bom: true }).slice(1);
  return rows.map(([invoice, code, description, quantity, date, price, customer, country], index) => ({
    number: index + 2,
    invoice,
    item: code.toUpperCase(),
    title: description.trim(),
    quantity: Number(quantity),
    time: Date.parse(`${date.replace(' ', 'T')}Z`) / 1000,
    price: Number(price),
    shopper: customer.replace(/\.0$/, ''),
    country,
  }));
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

/** Ties go to the value met first. */
function mostFrequent(values: readonly string[]): string {
  let best: string[] = [];
  for (const same of groupBy(values, (value) => value).values()) if (same.length > best.length) best = same;
  return best[0];
}

/** To the penny; undefined when nothing was ever charged. */
function medianPrice(lines: readonly Line[]): number | undefined {
  const prices = lines.map((line) => line.price).filter((price) => price > 0).sort((a, b) => a - b);
  if (prices.length === 0) return undefined;
  const middle = (prices[Math.floor((prices.length - 1) / 2)] + prices[Math.ceil((prices.length - 1) / 2)]) / 2;
  return Math.round(middle * 100) / 100;
}

function productOf(id: string, lines: readonly Line[]): Product {
  const price = medianPrice(lines);
  return { id, title: mostFrequent(lines.map((line) => line.title)), ...(price !== undefined && { price }) };
}

function shopperOf(id: string, lines: readonly Line[], catalogue: Catalogue): Shopper {
  // An invoice entered across the turn of a minute has two times: the earlier counts.
  const visits = [...groupBy(lines, (line) => line.invoice).values()].map((invoice): Visit => ({
    time: invoice.reduce((least, line) => Math.min(least, line.time), Infinity),
    items: invoice.map((line) => catalogue.indexOf.get(line.item)!).sort((a, b) => a - b),
  }));
  return { id, history: historyOf(visits), group: mostFrequent(lines.map((line) => line.country)), degree: 3 };
}

export function buildOnlineRetail(csv: string): Dataset {
  const lines = readLines(csv);
  const used: Line[] = [];
  const dropped = new Map(rules.map((rule) => [rule.kind, [] as number[]]));
  for (const line of lines) {
    const rule = rules.find((candidate) => candidate.drops(line));
    if (rule === undefined) used.push(line);
    else dropped.get(rule.kind)!.push(line.number);
  }
  const complaints = rules.filter(({ kind }) => dropped.get(kind)!.length > 0).map(({ kind, text }): Complaint => {
    const numbers = dropped.get(kind)!;
    return { kind, effect: 'dropped', text, count: numbers.length, lines: numbers.slice(0, 10) };
  });
  const catalogue = createCatalogue([...groupBy(used, (line) => line.item)].map(([id, group]) => productOf(id, group)));
  const shoppers = [...groupBy(used, (line) => line.shopper)]
    .map(([id, group]) => shopperOf(id, group, catalogue))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { name: 'online-retail', catalogue, shoppers, report: { lines: lines.length, used: used.length, complaints } };
}

function main(csvPath: string): void {
  const dataset = buildOnlineRetail(readFileSync(csvPath, 'utf8'));
  const encoded = encodeDataset(dataset);
  const compressed = gzipSync(encoded, { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(new URL('../../shared/datasets/online-retail.bin.gz', import.meta.url), compressed);
  const visits = dataset.shoppers.reduce((sum, shopper) => sum + visitCount(shopper.history), 0);
  console.log(`${dataset.shoppers.length} shoppers, ${dataset.catalogue.products.length} items, ${visits} visits; ${encoded.length} bytes, ${compressed.length} compressed`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [csvPath] = process.argv.slice(2);
  if (csvPath === undefined) throw new CestaError('usage.invalid', 'build-online-retail: expected the path of the CSV, got none');
  main(csvPath);
}
