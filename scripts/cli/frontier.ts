/** `cesta frontier`: quality against epsilon, with seeds, intervals and paired comparisons. */
import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import { protocols, type Protocol } from '../../shared/evaluation/splits.ts';
import type { Comparison, Frontier } from '../frontier.ts';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { integerIn, positiveNumbers, probability } from './options.ts';
import { print } from './output.ts';

interface FrontierCommandOptions extends DataOptions {
  model: string;
  epsilons: number[];
  delta: number;
  rounds: number;
  seeds: number;
  protocol: Protocol;
  json?: boolean;
}

export function addFrontier(program: Command): void {
  addDataOptions(program.command('frontier').description('what privacy costs: one model at several epsilons, beside popularity and no noise'))
    .option('--model <kind>', 'what is trained', 'neighbours')
    .option('--epsilons <list>', 'comma-separated', positiveNumbers, [0.25, 0.5, 1, 2, 3, 4, 8])
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .option('--rounds <n>', 'rounds that together spend epsilon', integerIn(1, 1000), 1)
    .option('--seeds <n>', 'noise seeds to average over', integerIn(1, 1000), 5)
    .addOption(new Option('--protocol <name>', 'what is asked').choices(protocols).default('last-basket'))
    .option('--json', 'print one JSON object')
    .action(async (options: FrontierCommandOptions) => {
      const { frontier } = await import('../frontier.ts');
      const { data, model, epsilons, delta, rounds, seeds, protocol } = options;
      const result = await frontier({ data, read: readOptions(options), model, delta, rounds, seeds, protocol }, epsilons);
      print(options, result, describe(result, seeds));
    });
}

function describe({ popularity, points }: Frontier, seeds: number): string {
  const table = new Table({ head: ['epsilon', 'ndcg@10', '95 % over shoppers', 'over popularity, paired', 'against no noise, paired'], style: { head: [], border: [] } });
  const difference = ({ difference: mean, low, high }: Comparison): string => `${mean >= 0 ? '+' : ''}${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
  for (const { epsilon, ndcg10, ndcg10Interval: [low, high], overPopularity, overNoNoise } of points) {
    table.push([epsilon ?? 'no noise', ndcg10.toFixed(4), `${low.toFixed(4)} to ${high.toFixed(4)}`, difference(overPopularity), epsilon === null ? '' : difference(overNoNoise)]);
  }
  const { protocol, delta } = points[0];
  return [
    `${points[0].model}, ${protocol}, ${points[0].testShoppers} test shoppers, delta ${delta ?? 'none'}, mode central, mean of ${seeds} noise seeds; popularity ${popularity.ndcg10.toFixed(4)}`,
    table.toString(),
  ].join('\n');
}
