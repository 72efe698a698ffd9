/** `cesta evaluate`: how good a model is on a data set, with or without noise. */
import { Option, type Command } from 'commander';
import type { ShelfVariety } from '../../shared/evaluation/shelf-variety.ts';
import { noiseKinds, type NoiseKind } from '../../shared/evaluation/simulated-noise.ts';
import type { AskedLocalTerms } from '../../shared/federation/local-terms.ts';
import { strategyKinds } from '../../shared/federation/strategies/strategy.ts';
import { protocols, type Protocol } from '../../shared/evaluation/splits.ts';
import { mostGroups, robustRules, type RobustRule } from '../../shared/federation/robust/rule.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { precisions, type Precision } from '../../shared/recommender/quantised-rows.ts';
import type { SimulationMode } from '../simulated-training.ts';
import { addBackendOption, backendOf, type BackendOptions } from './backend-options.ts';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { localTermsOf, type LocalOptions } from './local-options.ts';
import { integerIn, jsonObject, numberIn, positiveNumber, probability } from './options.ts';
import { print } from './output.ts';
import { robustOf } from './robust-options.ts';

interface EvaluateCommandOptions extends DataOptions, BackendOptions, LocalOptions {
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
  robust?: RobustRule;
  byzantine?: number;
  groups?: number;
  noise?: NoiseKind;
  seeds: number;
  protocol: Protocol;
  precision: Precision;
  minRating?: number;
  sampledNegatives?: number;
  diversity?: number;
  json?: boolean;
}

export function addEvaluate(program: Command): void {
  addBackendOption(addDataOptions(program.command('evaluate').description('train and test a model on one machine, without sockets')))
    .requiredOption('--model <kind>', 'popularity, neighbours, ease, slist, als, sequence or item-knn')
    .option('--hyper-parameters <json>', 'JSON object, instead of the defaults', jsonObject)
    .option('--epsilon <number>', 'privacy of the release (default: no noise)', positiveNumber)
    .option('--delta <number>', 'privacy slack', probability, 1e-5)
    .addOption(new Option('--mode <mode>', 'central: noise added once; distributed: in shares, as masked rounds do; local: all of it by every shop (default: central with --epsilon, else none)').choices(['none', 'central', 'distributed', 'local']))
    .option('--shops <n>', 'shops of modes distributed and local, and of unit shop (default: 20); without noise, of a model that trains locally (default: 1)', integerIn(1, 10_000))
    .option('--clip-norm <number>', 'L2 norm of one contribution (default: what the model guarantees of a shopper\'s)', positiveNumber)
    .option('--rounds <n>', 'rounds that together spend epsilon, or of local training', integerIn(1, 1000), 1)
    .option('--sampling <rate>', 'every shop takes each shopper with this probability, in secret (default: all)', probability)
    .addOption(new Option('--encoding <kind>', 'rotated: for dense contributions (default: that with unit shop and noise, else sparse)').choices(['sparse', 'rotated']))
    .option('--adaptive-clip <n>', 'the clip norm follows the median norm; so many shoppers are expected', integerIn(1, 10_000_000))
    .addOption(new Option('--unit <unit>', 'whose contribution is clipped and hidden (default: shopper; without noise, if none of strategy and weights is said either, models that train locally train shop by shop)').choices(['shopper', 'shop']))
    .addOption(new Option('--strategy <kind>', 'models that train locally: what the mean change becomes (default: it is added)').choices(strategyKinds))
    .option('--server-rate <number>', 'learning rate of the strategy', positiveNumber)
    .option('--strategy-settings <json>', 'its other settings: momentum, beta1, beta2, tau, mu, localSteps, shops', jsonObject)
    .option('--weighted-up-to <n>', 'contributions weigh by their events, up to so many (default: all weigh the same)', integerIn(1, 10_000_000))
    .addOption(new Option('--robust <rule>', 'modes local and distributed: combine reports, or the sums of --groups, so that a few cannot move the release far').choices(robustRules))
    .option('--byzantine <n>', 'reports, or groups, that may be spoilt, with --robust (default: 1)', integerIn(1, 10_000))
    .option('--groups <n>', 'mode distributed, with --robust median or trimmed-mean: groups of shops with a masked sum each', integerIn(3, mostGroups))
    .addOption(new Option('--noise <kind>', 'gaussian and correlated: mode central only (default: skellam)').choices(noiseKinds))
    .option('--seeds <n>', 'noise seeds to average over', integerIn(1, 1000), 5)
    .addOption(new Option('--protocol <name>', 'what is asked; hyper-parameters are chosen on validation').choices(protocols).default('last-basket'))
    .addOption(new Option('--precision <name>', 'rank with what storefronts get at this precision').choices(precisions).default('float32'))
    .option('--min-rating <number>', 'MovieLens files: the lowest rating that counts as liked (default: 4)', numberIn(0, 5))
    .option('--sampled-negatives <n>', 'rank among so many drawn items only, as some published tables do (default: among all)', integerIn(1, 1_000_000))
    .option('--diversity <degree>', 'fill a storefront\'s shelves at this diversity, 0 to 1, and say how varied they are', numberIn(0, 1))
    .option('--json', 'print one JSON object')
    .action(runEvaluate);
}

async function runEvaluate(options: EvaluateCommandOptions): Promise<void> {
  const { evaluate } = await import('../evaluate.ts');
  const { configureTensors } = await import('../../shared/tensors/runtime.ts');
  configureTensors(backendOf(options));
  const { data, model, hyperParameters, epsilon, delta, mode, shops, clipNorm, rounds, sampling, encoding, adaptiveClip, noise, seeds, protocol, precision, minRating, sampledNegatives, diversity } = options;
  const result = await evaluate({
    data,
    read: { ...readOptions(options), ...(minRating === undefined ? {} : { minRating }) },
    model,
    delta,
    seeds,
    rounds,
    ...(shops === undefined ? {} : { shops }),
    ...(sampledNegatives === undefined ? {} : { sampledNegatives }),
    ...(diversity === undefined ? {} : { diversity }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(adaptiveClip === undefined ? {} : { adaptiveClip }),
    ...(noise === undefined ? {} : { noise }),
    ...robustOf(options),
    protocol,
    precision,
    local: localTermsOf(options),
    ...(hyperParameters === undefined ? {} : { hyperParameters }),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(mode === undefined ? {} : { mode }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
  });
  const [low, high] = result.ndcg10Interval;
  print(options, result, [
    `${result.model}, ${result.protocol}, ${result.testShoppers} test shoppers of ${result.shoppers}, ${result.items} items${sampledNegatives === undefined ? '' : `, ranked among ${sampledNegatives} drawn ones`}${result.precision === 'int8' ? ', int8' : ''}`,
    result.epsilon === null ? 'no noise, no privacy' : `epsilon ${result.epsilon}, delta ${result.delta} (and ${result.samplerDelta.toExponential(1)} for the simulated noise), mode ${result.mode}, mean of ${result.seeds} noise seeds`,
    `ndcg@10 ${result.ndcg10.toFixed(4)} (95 % ${low.toFixed(4)} to ${high.toFixed(4)})   recall@20 ${result.recall20.toFixed(4)}   hr@10 ${result.hr10.toFixed(4)}`,
    ...describeLocal(result.local),
    ...describeShelves(result.shelves),
    `coverage@10 ${result.coverage10.toFixed(3)}   gini@10 ${result.gini10.toFixed(3)}   coverage@20 ${result.coverage20.toFixed(3)}   gini@20 ${result.gini20.toFixed(3)}   ${result.seconds.toFixed(1)} s`,
  ].join('\n'));
}

function describeShelves(shelves: ShelfVariety | null): string[] {
  if (shelves === null) return [];
  const { diversity, ndcg10, coverage10, gini10, distance10 } = shelves;
  return [`shelves of ten at diversity ${diversity}: ndcg ${ndcg10.toFixed(4)}   coverage ${coverage10.toFixed(3)}   gini ${gini10.toFixed(3)}   distance of their items ${distance10.toFixed(3)}`];
}

function describeLocal({ unit, strategy, weightedUpTo }: AskedLocalTerms): string[] {
  const said = [
    ...(unit === undefined ? [] : [`unit ${unit}`]),
    ...(strategy === undefined ? [] : [`strategy ${JSON.stringify(strategy)}`]),
    ...(weightedUpTo === undefined ? [] : [`weighted up to ${weightedUpTo} events`]),
  ];
  return said.length === 0 ? [] : [said.join(', ')];
}
