/**
 * A data set in a few bytes, made to be compressed: magic, version, then columns (all item ids, all titles,
 * all visit times, ...) of variable-length integers and strings, then a SHA-256 of everything before it. The
 * digest finds damage, not malice: whoever can change the file can change the digest; so every number is
 * also checked against its range.
 */
import * as z from 'zod';
import { createCatalogue, productSchema } from '../commerce/catalogue.ts';
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { degreeSchema } from '../commerce/degree-schema.ts';
import { visitCount, visitItems } from '../commerce/history.ts';
import type { ShopperHistory } from '../commerce/history.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { CestaError } from '../protocol/errors.ts';
import { byteReader, byteWriter } from './compact-bytes.ts';
import type { ByteReader, ByteWriter } from './compact-bytes.ts';
import type { Dataset, Shopper } from './dataset.ts';

const magic = [0x43, 0x45, 0x53, 0x54, 0x41, 0x44, 0x53]; // "CESTADS"
const version = 1;
const headerLength = magic.length + 1;
const digestLength = 32;
/** Unix seconds that a Date can hold. */
const maxTime = 8_640_000_000_000;

const reportSchema = z.object({
  lines: z.int().nonnegative(),
  used: z.int().nonnegative(),
  complaints: z.array(z.object({
    kind: z.string().min(1),
    effect: z.enum(['dropped', 'repaired']),
    text: z.string(),
    count: z.int().nonnegative(),
    lines: z.array(z.int().positive()),
  })),
});

/**
 * Times are kept in steps of `secondsPerTick`, prices in hundredths; whatever is finer is refused, not rounded.
 * Only unix times from 1970 on, and items in ascending order inside a visit, survive the way back unchanged.
 * @throws CestaError `internal` for a time or price off that grid.
 */
export function encodeDataset(dataset: Dataset, secondsPerTick = 60): Uint8Array {
  const out = byteWriter();
  out.text(dataset.name);
  out.text(JSON.stringify(dataset.report));
  writeCatalogue(out, dataset.catalogue);
  writeShoppers(out, dataset.shoppers);
  writeVisits(out, dataset.shoppers.map((shopper) => shopper.history), secondsPerTick);
  return seal(out.bytes());
}

/** Puts magic and version before, and the digest behind, a body. */
export function seal(body: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(headerLength + body.length + digestLength);
  sealed.set([...magic, version]);
  sealed.set(body, headerLength);
  sealed.set(sha256(sealed.subarray(0, -digestLength)), sealed.length - digestLength);
  return sealed;
}

/** @throws CestaError `data.unreadable` for bytes that are damaged, cut short or of another format. */
export function decodeDataset(bytes: Uint8Array): Dataset {
  const input = byteReader(unseal(bytes));
  const name = input.text('name');
  const report = parseWith(reportSchema, 'report', parseJson(input.text('report')));
  const catalogue = readCatalogue(input);
  const shoppers = readShoppers(input);
  const histories = readVisits(input, shoppers.length, catalogue.products.length);
  input.end();
  return { name, catalogue, shoppers: shoppers.map((shopper, index) => ({ ...shopper, history: histories[index] })), report };
}

/** Whether bytes claim to be this format. */
export function isCompact(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function unseal(bytes: Uint8Array): Uint8Array {
  if (bytes.length < headerLength + digestLength || !isCompact(bytes)) {
    throw new CestaError('data.unreadable', `compact data: expected it to start with CESTADS, got ${bytes.length} bytes of another kind`);
  }
  if (bytes[magic.length] !== version) {
    throw new CestaError('data.unreadable', `compact data: expected version ${version}, got ${bytes[magic.length]}`);
  }
  const digest = sha256(bytes.subarray(0, -digestLength));
  if (digest.some((byte, index) => byte !== bytes[bytes.length - digestLength + index])) {
    throw new CestaError('data.unreadable', 'compact data: expected the digest at its end to match, got damaged or missing bytes');
  }
  return bytes.subarray(headerLength, -digestLength);
}

function writeCatalogue(out: ByteWriter, catalogue: Catalogue): void {
  const { products } = catalogue;
  out.uint(products.length);
  for (const product of products) out.text(product.id);
  for (const product of products) out.text(product.title);
  // An empty string stands for "unknown": neither a category nor a brand is ever the empty string.
  for (const product of products) out.text(product.category ?? '');
  for (const product of products) out.text(product.brand ?? '');
  for (const product of products) out.uint(product.price === undefined ? 0 : 1 + onGrid('price', product.price * 100, 1e-6));
}

function readCatalogue(input: ByteReader): Catalogue {
  const count = input.count('item count');
  const column = (field: string): string[] => Array.from({ length: count }, () => input.text(field));
  const [ids, titles, categories, brands] = [column('item id'), column('title'), column('category'), column('brand')];
  const products = ids.map((id, index): Product => {
    const price = input.uint('price');
    return parseWith(productSchema, 'product', {
      id,
      title: titles[index],
      ...(categories[index] !== '' && { category: categories[index] }),
      ...(brands[index] !== '' && { brand: brands[index] }),
      ...(price > 0 && { price: (price - 1) / 100 }),
    });
  });
  // Histories speak of positions, so another order would be another data set.
  if (ids.some((id, index) => index > 0 && ids[index - 1] >= id)) throw new CestaError('data.unreadable', 'item id: expected ascending distinct ids, got another order');
  return createCatalogue(products);
}

function writeShoppers(out: ByteWriter, shoppers: readonly Shopper[]): void {
  const groups = [...new Set(shoppers.map((shopper) => shopper.group))].sort();
  out.uint(groups.length);
  for (const group of groups) out.text(group);
  out.uint(shoppers.length);
  for (const shopper of shoppers) out.text(shopper.id);
  for (const shopper of shoppers) out.uint(groups.indexOf(shopper.group));
  for (const shopper of shoppers) out.uint(shopper.degree);
}

function readShoppers(input: ByteReader): Omit<Shopper, 'history'>[] {
  const groups = Array.from({ length: input.count('group count') }, () => input.text('group'));
  const ids = Array.from({ length: input.count('shopper count') }, () => input.text('shopper id'));
  if (new Set(ids).size !== ids.length) throw new CestaError('data.unreadable', 'shopper id: expected distinct ids, got one twice');
  if (ids.length > 0 && groups.length === 0) throw new CestaError('data.unreadable', 'group count: expected at least 1, got 0');
  const groupOf = ids.map(() => groups[input.uint('group', groups.length - 1)]);
  const degreeOf = ids.map(() => parseWith(degreeSchema, 'degree', input.uint('degree')));
  return ids.map((id, index) => ({ id, group: groupOf[index], degree: degreeOf[index] }));
}

/** Times as steps since the visit before, items as gaps to the item before: small numbers compress well. */
function writeVisits(out: ByteWriter, histories: readonly ShopperHistory[], secondsPerTick: number): void {
  const base = histories.reduce((least, history) => (visitCount(history) > 0 ? Math.min(least, history.visitTimes[0]) : least), maxTime);
  out.uint(secondsPerTick);
  out.uint(base);
  for (const history of histories) out.uint(visitCount(history));
  for (const history of histories) {
    history.visitTimes.forEach((time, visit) => {
      out.uint(onGrid('visit time', (time - (visit === 0 ? base : history.visitTimes[visit - 1])) / secondsPerTick, 0));
    });
  }
  for (const history of histories) for (let visit = 0; visit < visitCount(history); visit += 1) out.uint(visitItems(history, visit).length);
  for (const history of histories) {
    for (let visit = 0; visit < visitCount(history); visit += 1) {
      let previous = -1;
      for (const item of visitItems(history, visit).toSorted()) {
        out.uint(item - previous - 1);
        previous = item;
      }
    }
  }
}

function readVisits(input: ByteReader, shopperCount: number, itemCount: number): ShopperHistory[] {
  const secondsPerTick = input.uint('seconds per tick', 86_400);
  const base = input.uint('first time', maxTime);
  const visitCounts = Array.from({ length: shopperCount }, () => input.count('visit count'));
  const times = visitCounts.map((count) => {
    let time = base;
    return Float64Array.from({ length: count }, () => {
      time += input.uint('visit time') * secondsPerTick;
      if (time > maxTime) throw new CestaError('data.unreadable', `visit time: expected at most ${maxTime}, got ${time}`);
      return time;
    });
  });
  const sizes = visitCounts.map((count) => Array.from({ length: count }, () => input.uint('visit size', itemCount)));
  return sizes.map((visitSizes, shopper) => {
    const visitStarts = new Int32Array(visitSizes.length);
    const items: number[] = [];
    visitSizes.forEach((size, visit) => {
      visitStarts[visit] = items.length;
      for (let index = 0, previous = -1; index < size; index += 1) {
        previous += 1 + input.uint('item', itemCount - previous - 2);
        items.push(previous);
      }
    });
    return { items: Int32Array.from(items), visitStarts, visitTimes: times[shopper] };
  });
}

function onGrid(field: string, steps: number, tolerance: number): number {
  const rounded = Math.round(steps);
  if (!(Math.abs(steps - rounded) <= tolerance * Math.max(1, steps))) throw new CestaError('internal', `${field}: expected a whole number of steps, got ${steps}`);
  return rounded;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CestaError('data.unreadable', 'report: expected JSON, got other text', { cause });
  }
}

function parseWith<T>(schema: z.core.$ZodType<T>, field: string, value: unknown): T {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw new CestaError('data.unreadable', `${field}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
