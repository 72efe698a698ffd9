/** `cesta audit poisoning`: shoppers and shops that push an item, against each defence. */
import type { Command } from 'commander';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { integerIn, positiveNumber, probability } from './options.ts';
import { print } from './output.ts';

interface PoisoningCommandOptions extends DataOptions {
  models: readonly string[];
  shops: number;
  epsilon: number;
  delta: number;
  byzantine: number;
  targets: number;
  maxShoppers: number;
  seed: number;
  json?: boolean;
}

export function addPoisoning(audit: Command): void {
  addDataOptions(audit.command('poisoning'), { positional: true })
    .description('malicious shoppers and a malicious shop push an unpopular item: how many see it under each defence, what the defence costs, and what the canary says')
    .option('--data <name|file>', 'online-retail (embedded), or a file of events, ratings or sequences', 'online-retail')
    .option('--models <list>', 'what is trained, one round each, comma-separated', (text) => text.split(','), ['neighbours', 'popularity'])
    .option('--shops <n>', 'shops that shoppers are dealt to', integerIn(5, 1000), 20)
    .option('--epsilon <number>', 'of the rows with noise', positiveNumber, 3)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--byzantine <n>', 'shops that the rules are made to withstand', integerIn(1, 100), 2)
    .option('--targets <n>', 'unpopular items to push, one after the other', integerIn(1, 100), 2)
    .option('--max-shoppers <n>', 'what one shop may claim: as `serve --max-shoppers`', integerIn(1, 10_000_000), 5_000)
    .option('--seed <n>', 'of targets, shops and noise', integerIn(0, 1_000_000_000), 1)
    .option('--json', 'print one JSON object')
    .action(async ({ json, ...options }: PoisoningCommandOptions) => {
      const { auditPoisoning } = await import('../audit/poisoning/poisoning.ts');
      const { describePoisoning } = await import('../audit/poisoning/report.ts');
      const report = await auditPoisoning({ ...options, read: readOptions(options), onProgress: (what) => void process.stderr.write(`${what}\n`) });
      print(json === true ? { json } : {}, report, describePoisoning(report));
    });
}
