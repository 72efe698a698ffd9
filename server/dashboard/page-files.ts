/** The dashboard as files: its scripts are put together from their sources when somebody first asks, and kept in memory. */
import { readFile } from 'node:fs/promises';
import type { WebFile } from '../web/bundle.ts';

export interface PageFiles {
  /** Null where there is no such file. @throws CestaError `page.unavailable` */
  find(path: string): Promise<WebFile | null>;
}

/** Files as they stand beside the sources. */
const plain = ['index.html', 'style.css'];

export function openPageFiles(): PageFiles {
  let files: Promise<ReadonlyMap<string, WebFile>> | null = null;
  return {
    async find(path) {
      // What failed once is tried again at the next request.
      files ??= bundle().catch((error: unknown) => {
        files = null;
        throw error;
      });
      return (await files).get(path) ?? null;
    },
  };
}

async function bundle(): Promise<ReadonlyMap<string, WebFile>> {
  const { bundleForBrowsers } = await import('../web/bundle.ts');
  const [{ files }, ...others] = await Promise.all([
    bundleForBrowsers({ dashboard: 'server/dashboard/page/main.tsx' }),
    ...plain.map(async (path): Promise<WebFile> => ({ path, bytes: await readFile(new URL(`page/${path}`, import.meta.url)) })),
  ]);
  return new Map([...files, ...others].map((file) => [file.path, file]));
}
