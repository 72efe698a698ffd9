/** What a page loads, in bytes: static imports come at once, dynamic ones when somebody asks for what they hold. */
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import type { WebBundle } from '../../server/web/bundle.ts';
import { asItStands } from '../../server/web/source-files.ts';

export interface LoadSize {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Bytes after gzip that it may have; null where there is none. */
  readonly budgetBytes: number | null;
}

/** Sources whose outputs a page loads together, with all that these import. */
interface Load {
  readonly sources: readonly string[];
  /** Already there. */
  readonly after?: readonly string[];
  readonly budgetBytes?: number;
}

const core = ['client/storefront/sdk.ts'];
const engine = ['client/storefront/engine.ts'];
const widgets = ['client/storefront/widgets/widgets.ts'];

/** The first two are what stands between a page and its first paint. */
const pageLoads: Readonly<Record<string, Load>> = {
  'cesta.js': { sources: core, budgetBytes: 6 * 1024 },
  'cesta.js and widgets.js': { sources: [...core, ...widgets], budgetBytes: 14 * 1024 },
  'engine with neighbours': { sources: [...engine, 'shared/recommender/neighbours/model.ts'], after: core, budgetBytes: 34 * 1024 },
  'engine with sequence': { sources: [...engine, 'shared/recommender/sequence/model.ts'], after: core },
  'widgets.js': { sources: widgets, after: core, budgetBytes: 8 * 1024 },
  'privacy panel': { sources: ['client/storefront/widgets/privacy.ts'], after: [...core, ...widgets], budgetBytes: 4 * 1024 },
  'widgets in Spanish': { sources: ['client/storefront/widgets/texts/es.ts'], budgetBytes: 4 * 1024 },
  'widgets in Polish': { sources: ['client/storefront/widgets/texts/pl.ts'], budgetBytes: 4 * 1024 },
  'widgets in Arabic': { sources: ['client/storefront/widgets/texts/ar.ts'], budgetBytes: 4 * 1024 },
  'take-part.js': { sources: ['client/storefront/take-part.ts'] },
};

export const pageSizes = (bundle: WebBundle): LoadSize[] => sizesOf(bundle, pageLoads);
export const workerSizes = (bundle: WebBundle): LoadSize[] => sizesOf(bundle, { 'device-worker.js': { sources: ['client/storefront/device-worker.ts'] } });

function sizesOf({ files, metafile }: WebBundle, loads: Readonly<Record<string, Load>>): LoadSize[] {
  const contents = new Map(files.map(({ path, bytes }) => [`out/${path}`, bytes]));
  return Object.entries(loads).map(([name, { sources, after = [], budgetBytes = null }]) => {
    const there = closure(metafile, after);
    const paths = [...closure(metafile, sources)].filter((path) => !there.has(path));
    const all = paths.map((path) => contents.get(path) ?? new Uint8Array(0));
    return { name, bytes: total(all.map(({ length }) => length)), gzipBytes: total(all.map((bytes) => gzipSync(bytes, { level: 9 }).length)), budgetBytes };
  });
}

/** Paths of outputs. A source that is the entry of none is a mistake here, not an empty file. */
function closure({ outputs }: Metafile, sources: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement') visit(next);
  };
  for (const source of sources) {
    const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === asItStands(source));
    if (found === undefined) throw new Error(`${source}: expected an output of its own, got none`);
    visit(found[0]);
  }
  return seen;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
