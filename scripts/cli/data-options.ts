/** The options by which every verb names a data set, and how it is read. */
import { Option, type Command } from 'commander';
import type { ReadOptions } from '../../client/shop/read-data.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';

export interface DataOptions {
  data: string;
  format?: string;
  catalogue?: string;
  basketColumn?: string;
}

/** Adds `--data` and its companions; the companions alone where the file is a positional argument. */
export function addDataOptions(command: Command, { positional = false } = {}): Command {
  return (positional ? command : command.requiredOption('--data <name|file>', 'online-retail (embedded), or a file of events, ratings or sequences'))
    .addOption(new Option('--format <format>', 'what the file is (default: told by its name and content)').choices(['csv', 'jsonl', 'movielens', 'sequences']))
    .option('--catalogue <file>', 'products, CSV or JSONL')
    .option('--basket-column <name>', 'column whose values tell baskets apart (default: one shopper\'s day)');
}

export function readOptions({ format, catalogue, basketColumn }: Omit<DataOptions, 'data'>): ReadOptions {
  return {
    ...(format === undefined ? {} : { format }),
    ...(catalogue === undefined ? {} : { cataloguePath: catalogue }),
    ...(basketColumn === undefined ? {} : { basketColumn }),
  };
}

export async function readData(options: DataOptions): Promise<Dataset> {
  const { readDataset } = await import('../../client/shop/read-data.ts');
  return readDataset(options.data, readOptions(options));
}
