/** `cesta witness`: sign the heads of a coordinator's public record, as long as it only grows. */
import type { Command } from 'commander';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { httpUrl, positiveNumber, publicKey } from './options.ts';
import { createLogger, print } from './output.ts';

interface WitnessCommandOptions {
  name: string;
  stateDir: string;
  coordinatorKey?: string;
  showKey?: boolean;
  once?: boolean;
  every: number;
  json?: boolean;
}

/** What waiting may mend. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['network.unreachable', 'protocol.out-of-order']);

export function addWitness(program: Command): void {
  program
    .command('witness')
    .description('remember how far a coordinator\'s public record was seen, and sign its heads while it only grows')
    .argument('<url>', 'the coordinator', httpUrl)
    .option('--name <name>', 'name of this witness', 'witness')
    .option('--state-dir <folder>', 'where this witness keeps its key and the last head', '.cesta/witnesses')
    .option('--coordinator-key <hex>', 'the key to expect (default: the one seen first is kept)', publicKey)
    .option('--show-key', 'print NAME=KEY, for the operator to name with serve --witness, and end')
    .option('--once', 'look once and end')
    .option('--every <seconds>', 'how often to look', positiveNumber, 10)
    .option('--json', 'print one JSON object a look')
    .action(witness);
}

async function witness(url: URL, options: WitnessCommandOptions): Promise<void> {
  const { openWitnessNode } = await import('../witness.ts');
  const { setTimeout: sleep } = await import('node:timers/promises');
  const node = openWitnessNode({ coordinator: url, name: options.name, stateDir: options.stateDir, ...(options.coordinatorKey === undefined ? {} : { coordinatorKey: options.coordinatorKey }) });
  if (options.showKey === true) return print(options, { witness: node.identity }, node.identity);
  const logger = createLogger(options.name);
  for (let last = ''; ;) {
    try {
      const seen = await node.look();
      const text = JSON.stringify(seen);
      if (text !== last) print(options, { witness: node.identity, ...seen }, `${seen.size} entries under root ${seen.root}, signed by ${seen.cosignatures} witnesses`);
      last = text;
    } catch (thrown) {
      const { code, message } = toCestaError(thrown);
      if (options.once === true || !passing.has(code)) throw thrown;
      logger.warn({ code, reason: message }, 'could not sign; trying again');
    }
    if (options.once === true) return;
    await sleep(options.every * 1000);
  }
}
