/** `cesta receipts`: what the coordinator signed for, as a shop keeps it. */
import type { Command } from 'commander';
import { print } from './output.ts';

interface ReceiptsOptions {
  shop: string;
  stateDir: string;
  json?: boolean;
}

export function addReceipts(program: Command): void {
  program
    .command('receipts')
    .description('list the receipts that a shop holds: one for each report that the coordinator acknowledged')
    .requiredOption('--shop <name>', 'name of this shop in the federation')
    .option('--state-dir <folder>', 'where this shop keeps them', '.cesta/shops')
    .option('--json', 'print one JSON object')
    .action(receipts);
}

async function receipts(options: ReceiptsOptions): Promise<void> {
  const { openStateFolder } = await import('../../client/shop/state-folder.ts');
  const { coordinatorKey, receipts: file } = openStateFolder(options.stateDir, options.shop);
  const { receipts: held, unreadable } = file.read();
  const lines = held.map(({ receipt: { round, sha256, acceptedAt } }) => `${acceptedAt} ${round} ${sha256}`);
  const damage = unreadable === 0 ? [] : [`${unreadable} lines of the file cannot be read`];
  print(options, { shop: options.shop, coordinatorKey, receipts: held, unreadable }, [`${options.shop}: ${held.length} receipts`, ...lines, ...damage].join('\n'));
}
