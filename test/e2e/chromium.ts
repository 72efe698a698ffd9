/**
 * A real Chromium, with a fresh profile. Where there is none the tests that need it fail and say so, unless
 * `CESTA_NO_BROWSER=1` says that this is meant.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Whether tests in a browser are to be left out, and not for want of one. */
export const withoutBrowser = process.env['CESTA_NO_BROWSER'] === '1';

const options = { headless: true, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'] };

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...options, executablePath: chromiumPath() });
}

/** One person's browser, whose profile is in this folder: everything is on the disk once it is closed. */
export function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { ...options, executablePath: chromiumPath() });
}

function chromiumPath(): string {
  const chosen = process.env['CESTA_BROWSER'];
  if (chosen !== undefined) return chosen;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
  if (found === undefined) throw new Error(`expected one of ${names.join(', ')} in PATH, or CESTA_BROWSER to name one, got none: install Chromium (apt-get install chromium), or set CESTA_NO_BROWSER=1 to leave the tests in a browser out`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
