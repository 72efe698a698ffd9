/** `cesta browser`: a page on this machine that takes part in rounds from the browser that opens it. */
import type { Command } from 'commander';
import { httpUrl, integerIn } from './options.ts';
import { print, untilStopped } from './output.ts';

interface BrowserOptions {
  coordinator: URL;
  port: number;
  json?: boolean;
}

export function addBrowser(program: Command): void {
  program
    .command('browser')
    .description('serve a page that takes part in rounds from a browser on this machine, for trials')
    .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl)
    .option('--port <number>', 'where to listen on 127.0.0.1 (0: any free port)', integerIn(0, 65_535), 8788)
    .option('--json', 'print one JSON object')
    .action(browser);
}

async function browser(options: BrowserOptions): Promise<void> {
  const { servePage } = await import('../storefront/serve-page.ts');
  const { requireSecureAddress } = await import('../../shared/protocol/transport.ts');
  requireSecureAddress('coordinator', options.coordinator);
  const page = await servePage(options.coordinator, { port: options.port });
  print(options, { url: page.url }, `Open ${page.url}`);
  await untilStopped();
  await page.close();
}
