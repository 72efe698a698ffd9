/** Product files: CSV with a header, or one JSON object a line, in the columns of an event file or of a product feed. */
import { createCatalogue } from '../commerce/catalogue.ts';
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { maxIdLength } from '../commerce/events.ts';
import { CestaError } from '../protocol/errors.ts';
import { createTally } from './complaints.ts';
import { csvTable } from './csv-table.ts';
import type { Complaint } from './dataset.ts';
import { fieldText, parseObject } from './events.ts';
import { firstLine, forEachLine } from './lines.ts';
import { productFrom } from './product-log.ts';

export interface CatalogueFile {
  readonly catalogue: Catalogue;
  /** Kinds start with `catalogue-`, and lines are those of this file. */
  readonly complaints: readonly Complaint[];
}

/** The first of these names that the file has. */
const namesOf = { id: ['id', 'item_id'], title: ['title', 'item_name'], category: ['category', 'item_category'], brand: ['brand', 'item_brand'], price: ['price'] } as const;

/**
 * @throws CestaError `data.missing-column` without an id column, `data.empty` without a product.
 * @example
 * parseCatalogueFile('id,title\nlamp,Reading lamp\n').catalogue.products[0].title; // 'Reading lamp'
 */
export function parseCatalogueFile(text: string): CatalogueFile {
  const tally = createTally();
  const products = new Map<string, Product>();
  const add = (field: (name: string) => string, line: number): void => {
    const value = (names: readonly string[]): string => names.map(field).find((found) => found.trim() !== '') ?? '';
    const id = value(namesOf.id).trim();
    if (id === '' || id.length > maxIdLength) tally.complain('catalogue-line', line);
    else if (products.has(id)) tally.complain('catalogue-duplicate', line);
    else products.set(id, productFrom(id, { title: value(namesOf.title), category: value(namesOf.category), brand: value(namesOf.brand), price: value(namesOf.price) }, tally, line));
  };
  const columns = firstLine(text).trimStart().startsWith('{') ? readObjects(text, add, (line) => tally.complain('catalogue-line', line)) : readTable(text, add, tally);
  if (!namesOf.id.some((name) => columns.includes(name))) {
    throw new CestaError('data.missing-column', `catalogue: expected a column id or item_id, got ${columns.join(', ') || 'none'}`);
  }
  if (products.size === 0) throw new CestaError('data.empty', 'catalogue: expected at least one product, got none');
  return { catalogue: createCatalogue(products.values()), complaints: tally.report().complaints.map(ofCatalogue) };
}

function readTable(text: string, add: (field: (name: string) => string, line: number) => void, tally: ReturnType<typeof createTally>): readonly string[] {
  const table = csvTable(text);
  table.forEach(tally, (record, line) => {
    add((name) => record[table.columns.indexOf(name)] ?? '', line);
  });
  return table.columns;
}

function readObjects(text: string, add: (field: (name: string) => string, line: number) => void, complain: (line: number) => void): readonly string[] {
  const found = new Set<string>();
  forEachLine(text, (line, number) => {
    const object = parseObject(line);
    if (object === undefined) {
      complain(number);
      return;
    }
    for (const key in object) found.add(key);
    add((name) => fieldText(object, name), number);
  });
  return [...found];
}

function ofCatalogue(complaint: Complaint): Complaint {
  return complaint.kind.startsWith('catalogue-') ? complaint : { ...complaint, kind: `catalogue-${complaint.kind}`, text: `In the catalogue file: ${complaint.text}` };
}
