/** A data set by name or path: the embedded data, event files, MovieLens ratings, sequences. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import { parseCatalogueFile } from '../../shared/datasets/catalogue-file.ts';
import type { CatalogueFile } from '../../shared/datasets/catalogue-file.ts';
import { decodeDataset, isCompact } from '../../shared/datasets/compact-dataset.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { columnsOf, detectFormat, textFormats } from '../../shared/datasets/detect.ts';
import type { DataFormat, TextFormat } from '../../shared/datasets/detect.ts';
import { loadText, refuseForeignOptions, requireUsable } from '../../shared/datasets/load.ts';
import type { LoadOptions } from '../../shared/datasets/load.ts';
import { decodeOnlineRetail } from '../../shared/datasets/online-retail.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { decodeText, readBytes } from './read-text.ts';

export interface ReadOptions extends Omit<LoadOptions, 'catalogue' | 'titles' | 'format'> {
  /** One of `textFormats`, instead of what name and content say; checked here, as it comes from a command line. */
  readonly format?: string | undefined;
  /** A file of products, CSV or one JSON object a line: the whole catalogue. */
  readonly cataloguePath?: string | undefined;
}

/** A file read, and known by its format, but not loaded yet. */
export interface DataSource {
  /** The file's name without its folders, or the name of the embedded data. */
  readonly name: string;
  readonly format: DataFormat;
  readonly columns: readonly string[];
  /** @throws CestaError as `readDataset`, except `data.empty`. */
  load(): Promise<Dataset>;
}

export const embeddedName = 'online-retail';
const embeddedUrl = new URL('../../shared/datasets/online-retail.bin.gz', import.meta.url);
/** What a folder is searched for. */
const ratingFiles = ['u.data', 'ratings.csv', 'ratings.dat'];

/**
 * Reads orders or ratings into histories, with an account of every line that was not used.
 * @param nameOrPath `online-retail` for the embedded data; a file, plain or gzip; or a MovieLens folder.
 * @throws CestaError `data.not-found`, `data.unreadable`, `data.missing-column`, `data.empty`; `config.invalid`
 *   for an option that the format does not know.
 * @example
 * const { catalogue, shoppers, report } = await readDataset('orders.csv', { basketColumn: 'order_id' });
 */
export async function readDataset(nameOrPath: string, options: ReadOptions = {}): Promise<Dataset> {
  const source = await openData(nameOrPath, options);
  return requireUsable(await source.load());
}

/** @throws CestaError `data.not-found`, `data.unreadable` */
export async function openData(nameOrPath: string, options: ReadOptions = {}): Promise<DataSource> {
  if (nameOrPath === embeddedName) {
    refuseForeignOptions('compact', options);
    return { name: embeddedName, format: 'compact', columns: [], load: async () => decodeOnlineRetail(await readBytes(embeddedUrl)) };
  }
  const path = await fileAt(nameOrPath);
  const name = basename(path);
  const bytes = await readBytes(path);
  if (isCompact(bytes)) {
    refuseForeignOptions('compact', options);
    return { name, format: 'compact', columns: [], load: () => Promise.resolve(decodeDataset(bytes)) };
  }
  const text = decodeText(name, bytes);
  const { cataloguePath, format: wanted, ...loadOptions } = options;
  const format = wanted === undefined ? detectFormat(name, text) : checkFormat(wanted);
  return {
    name,
    format,
    columns: columnsOf(format, text),
    async load() {
      const catalogue = cataloguePath === undefined ? undefined : await readCatalogueFile(cataloguePath);
      const titles = format === 'movielens' ? await titlesBeside(path) : undefined;
      return loadText(name, text, { ...loadOptions, format, catalogue, titles });
    },
  };
}

/**
 * A file of products, with what was wrong with its lines.
 * @throws CestaError `data.not-found`, `data.unreadable`, `data.missing-column`, `data.empty`
 */
export async function readCatalogueFile(path: string): Promise<CatalogueFile> {
  return parseCatalogueFile(decodeText(basename(path), await readBytes(path)));
}

/** The products alone: of a file of products, or of the embedded data by its name. */
export async function readCatalogue(nameOrPath: string): Promise<Catalogue> {
  if (nameOrPath === embeddedName) return (await readDataset(embeddedName)).catalogue;
  return (await readCatalogueFile(nameOrPath)).catalogue;
}

function checkFormat(format: string): TextFormat {
  const known = textFormats.find((name) => name === format);
  if (known === undefined) throw new CestaError('config.invalid', `format: expected one of ${textFormats.join(', ')}, got ${JSON.stringify(format)}`);
  return known;
}

/**
 * The files that `readDataset` reads for a name or path without options, the data itself first: what a digest of the data covers.
 */
export async function dataFiles(nameOrPath: string): Promise<readonly (string | URL)[]> {
  if (nameOrPath === embeddedName) return [embeddedUrl];
  const path = await fileAt(nameOrPath);
  const titles = titlesPath(path);
  return existsSync(titles) ? [path, titles] : [path];
}

/** The ratings file of a MovieLens folder; any other path as it is. */
async function fileAt(path: string): Promise<string> {
  // Whatever is wrong with the path is said when it is read.
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return path;
  return ratingFiles.map((file) => join(path, file)).find((file) => existsSync(file)) ?? path;
}

/** The titles that MovieLens publishes beside ratings of this form. */
async function titlesBeside(path: string): Promise<string | undefined> {
  const titles = titlesPath(path);
  // The older of these files are in a Western encoding.
  return existsSync(titles) ? decodeText(basename(titles), await readBytes(titles), ['utf-8', 'windows-1252']) : undefined;
}

function titlesPath(path: string): string {
  const ratings = basename(path).replace(/\.gz$/, '');
  return join(dirname(path), ratings.endsWith('.csv') ? 'movies.csv' : ratings.endsWith('.dat') ? 'movies.dat' : 'u.item');
}
