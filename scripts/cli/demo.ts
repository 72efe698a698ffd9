/** `cesta demo`: see it work, on real orders, with nothing to download. */
import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import ora from 'ora';
import { privacyModes } from '../../shared/federation/plan.ts';
import type { DemoResult, ExampleShelf } from '../demo/demo.ts';
import { integerIn, positiveNumber, probability } from './options.ts';
import { print, untilStopped } from './output.ts';

interface DemoCommandOptions {
  epsilon: number;
  delta: number;
  shops: number;
  mode?: string;
  leaving: number;
  seed: number;
  port: number;
  once?: boolean;
  json?: boolean;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('real orders, shops in a few processes, one private round, and what it is worth')
    .option('--epsilon <number>', 'privacy of the release', positiveNumber, 3)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--shops <n>', 'shops the orders are split over', integerIn(1, 200), 20)
    .addOption(new Option('--mode <mode>', 'how the sum is protected (default: distributed; local with fewer than 5 shops)').choices(privacyModes))
    .option('--leaving <n>', 'shops that leave in the middle of the round', integerIn(0, 50), 0)
    .option('--seed <n>', 'how shoppers are split over shops', integerIn(0, 2 ** 31 - 1), 1)
    .option('--port <n>', 'port of the coordinator; 0 picks one', integerIn(0, 65_535), 8787)
    .option('--once', 'exit when the comparison is shown')
    .option('--json', 'print one JSON object and nothing else')
    .action(runDemo);
}

async function runDemo({ json, once, ...options }: DemoCommandOptions): Promise<void> {
  const { startDemo } = await import('../demo/demo.ts');
  const spinner = ora({ text: 'reading the orders', isSilent: json === true }).start();
  const stopped = untilStopped();
  let demo;
  try {
    demo = await startDemo({ ...options, mode: options.mode ?? (options.shops < 5 ? 'local' : 'distributed'), progress: (text) => void (spinner.text = text) });
    spinner.succeed(`done in ${demo.result.seconds.toFixed(1)} s`);
  } catch (error) {
    spinner.fail('the demo failed');
    throw error;
  }
  print({ json: json === true }, demo.result, describe(demo.result, demo.shelf));
  if (once !== true) {
    if (json !== true) process.stderr.write('Serving until Ctrl-C.\n');
    await stopped;
  }
  await demo.stop();
}

function describe({ models, epsilon, delta, mode, releaseUrl }: DemoResult, shelf: ExampleShelf): string {
  const table = new Table({ head: ['model', 'ndcg@10', '95 % interval', 'recall@20', 'coverage@20'], style: { head: [], border: [] }, colAligns: ['left', 'right', 'right', 'right', 'right'] });
  for (const { name, ndcg10, ndcg10Interval, recall20, coverage20 } of models) {
    table.push([name, ndcg10.toFixed(4), ndcg10Interval.map((bound) => bound.toFixed(4)).join(' .. '), recall20.toFixed(4), coverage20.toFixed(3)]);
  }
  const promise = epsilon === null ? 'mode none: nothing is promised to shoppers' : `mode ${mode}: epsilon ${epsilon.toPrecision(3)}, delta ${delta}, per shopper and shop, against everybody but the shop itself`;
  const lines = shelf.items.map(({ title, item_id, source, because }, rank) => {
    const reasons = because.map((reason) => shelf.bought[shelf.boughtIds.indexOf(reason.item_id)] ?? reason.item_id);
    return `  ${rank + 1}. ${title ?? item_id}  [${source}${reasons.length === 0 ? '' : `, because of ${reasons.join(', ')}`}]`;
  });
  return [table.toString(), promise, '', `Release: ${releaseUrl}`, '', `A shopper who bought ${shelf.bought.join(', ')} sees:`, ...lines].join('\n');
}
