/** The experiment that a name or a path stands for: a shipped one, a TypeScript or JavaScript module, or JSON. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { closest } from '../cli/config/closest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { isCompiled } from '../../server/web/source-files.ts';
import { isPlainObject, type Fields } from './fields.ts';

export interface LoadedExperiment {
  /** Of the file, without its ending. */
  readonly name: string;
  /** As the file says it; not parsed yet. */
  readonly experiment: unknown;
}

const shippedFolder = fileURLToPath(new URL('../experiments', import.meta.url));
/** In a checkout, the name `cesta` leads to its sources. */
const ownPaths = isCompiled ? undefined : fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
const endings = ['.ts', '.mts', '.js', '.mjs', '.json'];

/** Names of the experiments that come with the package. */
export function shippedExperiments(): readonly string[] {
  return [...shipped().keys()].sort();
}

function shipped(): ReadonlyMap<string, string> {
  const files = existsSync(shippedFolder) ? readdirSync(shippedFolder).filter((file) => /(?<!\.d)\.[tj]s$/.test(file)) : [];
  return new Map(files.map((file) => [basename(file, extname(file)), join(shippedFolder, file)]));
}

/**
 * A name without ending and folder is a shipped experiment.
 * @throws CestaError `data.not-found`, `data.unreadable`; `config.invalid` for a module without an experiment
 */
export async function loadExperiment(nameOrPath: string): Promise<LoadedExperiment> {
  const path = shipped().get(nameOrPath) ?? resolve(nameOrPath);
  const ending = extname(path);
  if (!existsSync(path)) throw new CestaError('data.not-found', `FILE: expected a file or one of ${shippedExperiments().join(', ')}, got ${nameOrPath}; the closest is ${closest(nameOrPath, shippedExperiments())}`);
  if (!endings.includes(ending)) throw new CestaError('data.unreadable', `FILE: expected a file that ends in ${endings.join(', ')}, got ${nameOrPath}`);
  return { name: basename(path, ending), experiment: ending === '.json' ? parseJson(path) : await importExperiment(path) };
}

function parseJson(path: string): unknown {
  try {
    // Editors of Windows put a byte order mark in front.
    return JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new CestaError('data.unreadable', `${path}: expected JSON, got other text (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}

async function importExperiment(path: string): Promise<unknown> {
  let module: Fields;
  try {
    module = await importWithOwnName(pathToFileURL(path).href) as Fields;
  } catch (cause) {
    throw new CestaError('data.unreadable', `${path}: expected a module, got one that does not load (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
  // In a folder without "type": "module" the file is CommonJS: what it exports is the default of the module.
  const inner = module['default'];
  const exports = isPlainObject(inner) && Object.hasOwn(inner, '__esModule') ? inner : module;
  const found = exports['default'] ?? exports['experiment'];
  // What a CommonJS module without exports has is an object, too; a promise is one that tells nothing.
  const isEmpty = typeof found === 'object' && found !== null && Object.keys(found).length === 0;
  if (found === undefined || isEmpty) throw new CestaError('config.invalid', `${path}: expected an experiment as its default export or by the name experiment, got ${found instanceof Promise ? 'a promise' : 'neither'}`);
  return found;
}

/** Of modules tsx takes the paths as an option; of CommonJS, which a folder without "type": "module" has, from the environment, as it is called. */
function importWithOwnName(url: string): Promise<unknown> {
  if (ownPaths === undefined) return tsImport(url, { parentURL: import.meta.url });
  const { TSX_TSCONFIG_PATH: before } = process.env;
  process.env['TSX_TSCONFIG_PATH'] = ownPaths;
  try {
    return tsImport(url, { parentURL: import.meta.url, tsconfig: ownPaths });
  } finally {
    if (before === undefined) delete process.env['TSX_TSCONFIG_PATH'];
    else process.env['TSX_TSCONFIG_PATH'] = before;
  }
}
