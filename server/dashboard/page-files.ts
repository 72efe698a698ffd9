/** The dashboard as files: its scripts are put together from their sources when somebody first asks, and kept in memory. */
import { readFile } from 'node:fs/promises';
import type { WebFile } from '../web/bundle.ts';

/** Files as they stand beside the sources. */
const plain = ['index.html', 'style.css'];

/** Of this process, however many coordinators it has. */
let files: Promise<ReadonlyMap<string, WebFile>> | null = null;

/** Null where there is no such file. @throws CestaError `page.unavailable` */
export async function findPageFile(path: string): Promise<WebFile | null> {
  // What failed once is tried again at the next request.
  files ??= bundle().catch((error: unknown) => {
    files = null;
    throw error;
  });
  return (await files).get(path) ?? null;
}

async function bundle(): Promise<ReadonlyMap<string, WebFile>> {
  const { bundleForBrowsers } = await import('../web/bundle.ts');
  const [{ files: scripts }, ...others] = await Promise.all([
    bundleForBrowsers({ dashboard: 'server/dashboard/page/main.tsx' }),
    ...plain.map(async (path): Promise<WebFile> => ({ path, bytes: await readFile(new URL(`page/${path}`, import.meta.url)) })),
  ]);
  return new Map([...scripts, ...others].map((file) => [file.path, file]));
}
