/** `cesta evaluate`: how good a model is on a data set, with or without noise. */
import { Option, type Command } from 'commander';
import { noiseKinds, type NoiseKind } from '../../shared/evaluation/simulated-noise.ts';
import { protocols, type Protocol } from '../../shared/evaluation/splits.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { SimulationMode } from '../evaluate.ts';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { integerIn, jsonObject, numberIn, positiveNumber, probability } from './options.ts';
import { print } from './output.ts';

interface EvaluateCommandOptions extends DataOptions {
  model: string;
  hyperParameters?: Record<string, Json>;
  epsilon?: number;
  delta: number;
  mode?: SimulationMode;
  shops?: number;
  clipNorm?: number;
  rounds: number;
  sampling?: number;
  encoding?: 'sparse' | 'rotated';
  adaptiveClip?: number;
  noise?: NoiseKind;
  seeds: number;
  protocol: Protocol;
  minRating?: number;
  sampledNegatives?: number;
  json?: boolean;
}

export function addEvaluate(program: Command): void {
  addDataOptions(program.command('evaluate').description('train and test a model on one machine, without sockets'))
    .requiredOption('--model <kind>', 'popularity, neighbours, ease, slist, als, sequence or item-knn')
    .option('--hyper-parameters <json>', 'JSON object, instead of the defaults', jsonObject)
    .option('--epsilon <number>', 'privacy of the release (default: no noise)', positiveNumber)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .addOption(new Option('--mode <mode>', 'central: noise added once; distributed: in shares, as masked rounds do; local: all of it by every shop (default: central with --epsilon, else none)').choices(['none', 'central', 'distributed', 'local']))
    .option('--shops <n>', 'shops of modes distributed and local (default: 20); without noise, of a model that trains locally (default: 1)', integerIn(1, 10_000))
    .option('--clip-norm <number>', 'L2 norm of one shopper\'s contribution (default: what the model guarantees)', positiveNumber)
    .option('--rounds <n>', 'rounds that together spend epsilon, or of local training', integerIn(1, 1000), 1)
    .option('--sampling <rate>', 'every shop takes each shopper with this probability, in secret (default: all)', probability)
    .addOption(new Option('--encoding <kind>', 'rotated: for dense contributions (default: sparse)').choices(['sparse', 'rotated']))
    .option('--adaptive-clip <n>', 'the clip norm follows the median norm; so many shoppers are expected', integerIn(1, 10_000_000))
    .addOption(new Option('--noise <kind>', 'gaussian and correlated: mode central only (default: skellam)').choices(noiseKinds))
    .option('--seeds <n>', 'noise seeds to average over', integerIn(1, 1000), 5)
    .addOption(new Option('--protocol <name>', 'what is asked; hyper-parameters are chosen on validation').choices(protocols).default('last-basket'))
    .option('--min-rating <number>', 'MovieLens files: the lowest rating that counts as liked (default: 4)', numberIn(0, 5))
    .option('--sampled-negatives <n>', 'rank among so many drawn items only, as some published tables do (default: among all)', integerIn(1, 1_000_000))
    .option('--json', 'print one JSON object')
    .action(runEvaluate);
}

async function runEvaluate(options: EvaluateCommandOptions): Promise<void> {
  const { evaluate } = await import('../evaluate.ts');
  const { data, model, hyperParameters, epsilon, delta, mode, shops, clipNorm, rounds, sampling, encoding, adaptiveClip, noise, seeds, protocol, minRating, sampledNegatives } = options;
  const result = await evaluate({
    data,
    read: { ...readOptions(options), ...(minRating === undefined ? {} : { minRating }) },
    model,
    delta,
    seeds,
    rounds,
    ...(shops === undefined ? {} : { shops }),
    ...(sampledNegatives === undefined ? {} : { sampledNegatives }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(adaptiveClip === undefined ? {} : { adaptiveClip }),
    ...(noise === undefined ? {} : { noise }),
    protocol,
    ...(hyperParameters === undefined ? {} : { hyperParameters }),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(mode === undefined ? {} : { mode }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
  });
  const [low, high] = result.ndcg10Interval;
  print(options, result, [
    `${result.model}, ${result.protocol}, ${result.testShoppers} test shoppers of ${result.shoppers}, ${result.items} items${sampledNegatives === undefined ? '' : `, ranked among ${sampledNegatives} drawn ones`}`,
    result.epsilon === null ? 'no noise, no privacy' : `epsilon ${result.epsilon}, delta ${result.delta} (and ${result.samplerDelta.toExponential(1)} for the simulated noise), mode ${result.mode}, mean of ${result.seeds} noise seeds`,
    `ndcg@10 ${result.ndcg10.toFixed(4)} (95 % ${low.toFixed(4)} to ${high.toFixed(4)})   recall@20 ${result.recall20.toFixed(4)}   hr@10 ${result.hr10.toFixed(4)}`,
    `coverage@20 ${result.coverage20.toFixed(3)}   gini@20 ${result.gini20.toFixed(3)}   ${result.seconds.toFixed(1)} s`,
  ].join('\n'));
}
