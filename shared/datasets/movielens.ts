/**
 * MovieLens ratings in their three published forms: `u.data` (tabs), `ratings.dat` (`::`) and `ratings.csv`
 * (header), with titles from `u.item`, `movies.dat` or `movies.csv`. A rating of at least `minRating` counts
 * as a purchase; a visit is one shopper's UTC day. The data may not be redistributed, so none is here.
 * Harper and Konstan 2015, doi:10.1145/2827872.
 */
import type { Catalogue } from '../commerce/catalogue.ts';
import { CestaError } from '../protocol/errors.ts';
import { createTally } from './complaints.ts';
import type { Tally } from './complaints.ts';
import { csvTable } from './csv-table.ts';
import type { Dataset } from './dataset.ts';
import { eventCollector } from './events.ts';
import { firstLine, forEachLine } from './lines.ts';
import { productLog } from './product-log.ts';

export interface MovielensOptions {
  /** The lowest rating that counts as liked; 4 unless told. */
  readonly minRating?: number | undefined;
  /** The text of the titles file that lies beside the ratings. */
  readonly titles?: string | undefined;
  readonly catalogue?: Catalogue | undefined;
}

export const ratingColumns = ['userid', 'movieid', 'rating', 'timestamp'] as const;

/** The flags at the end of a line of `u.item`, in their order. */
const itemGenres = [
  'unknown', 'Action', 'Adventure', 'Animation', "Children's", 'Comedy', 'Crime', 'Documentary', 'Drama', 'Fantasy', 'Film-Noir',
  'Horror', 'Musical', 'Mystery', 'Romance', 'Sci-Fi', 'Thriller', 'War', 'Western',
] as const;
const firstGenreField = 5;

/**
 * @throws CestaError `data.missing-column` for a file with a header that lacks a column of `ratingColumns`.
 * @example
 * loadMovielens('u.data', '196\t242\t5\t881250949\n').shoppers[0].id; // '196'
 */
export function loadMovielens(name: string, text: string, options: MovielensOptions = {}): Dataset {
  const minRating = options.minRating ?? 4;
  if (!Number.isFinite(minRating)) throw new CestaError('config.invalid', `minRating: expected a number, got ${minRating}`);
  const tally = createTally();
  const products = productLog(tally);
  if (options.titles !== undefined) {
    forEachTitle(options.titles, (id, title, genres) => products.add(id, { title, category: genres }, 1));
  }
  const collector = eventCollector({ catalogue: options.catalogue }, tally, products);
  forEachRating(text, tally, (user, movie, rating, timestamp, line) => {
    const value = rating.trim() === '' ? NaN : Number(rating);
    if (Number.isNaN(value)) tally.complain('bad-rating', line);
    else if (value < minRating) tally.complain('low-rating', line);
    else collector.add((column) => (column === 'shopper_id' ? user : column === 'item_id' ? movie : column === 'timestamp' ? timestamp : ''), line);
  });
  return collector.dataset(name);
}

type RatingVisitor = (user: string, movie: string, rating: string, timestamp: string, line: number) => void;

function forEachRating(text: string, tally: Tally, visit: RatingVisitor): void {
  const start = firstLine(text);
  const separator = start.includes('::') ? '::' : '\t';
  if (!start.includes(separator)) {
    const table = csvTable(text);
    const missing = ratingColumns.filter((column) => !table.columns.includes(column));
    if (missing.length > 0) {
      throw new CestaError('data.missing-column', `columns: expected ${ratingColumns.join(', ')}, got ${table.columns.join(', ') || 'none'} (missing: ${missing.join(', ')})`);
    }
    const [user, movie, rating, timestamp] = ratingColumns.map((column) => table.columns.indexOf(column));
    table.forEach(tally, (record, line) => visit(record[user], record[movie], record[rating], record[timestamp], line));
    return;
  }
  forEachLine(text, (line, number) => {
    tally.read();
    const fields = line.split(separator);
    if (fields.length === ratingColumns.length) visit(fields[0], fields[1], fields[2], fields[3], number);
    else tally.complain('field-count', number);
  });
}

/** Lines that are no title are passed over: what they miss is a text, not an event. */
function forEachTitle(text: string, visit: (id: string, title: string, genres: string) => void): void {
  const start = firstLine(text);
  if (start.includes('::')) {
    forEachLine(text, (line) => {
      const [id, title, genres] = line.split('::');
      if (id !== '' && title !== undefined) visit(id, title, genres ?? '');
    });
  } else if (start.split('|').length === firstGenreField + itemGenres.length) {
    forEachLine(text, (line) => {
      const fields = line.split('|');
      if (fields.length === firstGenreField + itemGenres.length) visit(fields[0], fields[1], itemGenres.filter((_, index) => fields[firstGenreField + index].trim() === '1').join('|'));
    });
  } else {
    const table = csvTable(text);
    const [id, title, genres] = ['movieid', 'title', 'genres'].map((column) => table.columns.indexOf(column));
    if (id === -1 || title === -1) {
      throw new CestaError('data.missing-column', `titles: expected movieid, title, got ${table.columns.join(', ') || 'none'}`);
    }
    table.forEach(createTally(), (record) => visit(record[id].trim(), record[title], genres === -1 ? '' : record[genres]));
  }
}
