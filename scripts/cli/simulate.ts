/** `cesta simulate`: a federation of any size in one process, in virtual time. */
import { Option, type Command } from 'commander';
import ora from 'ora';
import { robustRules } from '../../shared/federation/robust/rule.ts';
import { metricInfo, metricNames } from '../../shared/evaluation/scenario-metrics.ts';
import { modelKinds } from '../../shared/recommender/federated-model.ts';
import { strategyKinds } from '../../shared/federation/strategies/strategy.ts';
import { parseScenario, type Scenario } from '../../shared/simulation/scenario.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { RoundRecord, RoundTime, SimulationResult } from '../simulate/simulation.ts';
import { addDataOptions, readOptions, type DataOptions } from './data-options.ts';
import { fraction, integerIn, jsonObject, numberIn, positiveNumber, probability } from './options.ts';
import { print } from './output.ts';

interface SimulateCommandOptions extends DataOptions {
  model: string;
  hyperParameters?: Record<string, Json>;
  shoppers?: number;
  shops?: number;
  partition?: Scenario['population']['partition'];
  sizes?: Scenario['population']['sizes'];
  clients?: Scenario['clients']['are'];
  cohort?: number;
  overSelection?: number;
  quorum?: number;
  dropout?: number;
  stragglers?: number;
  availability?: Scenario['clients']['availability'];
  malicious?: Scenario['clients']['malicious'];
  rounds?: number;
  epsilon?: number;
  delta?: number;
  mode?: Scenario['privacy']['mode'];
  clipNorm?: number;
  noiseCohort?: number;
  unit?: Scenario['unit'];
  aggregate?: Json;
  fidelity?: Scenario['fidelity'];
  workers?: number;
  seed?: number;
  json?: boolean;
}

const limits = `
Examples:
  cesta simulate                                              20 shops of the embedded data, one private round
  cesta simulate --shoppers 1000000 --cohort 100000           devices of one shopper each
  cesta simulate --model als --rounds 10 --dropout 0.1        more rounds, of which some participants leave
  cesta simulate --shops 30 --aggregate median --malicious participants:1 --epsilon 8
Several settings, seeds, calendars of rounds and reports: cesta experiment, whose files take these settings and more.

Plan, budget, reducer, contributions, clipping, grid, decoding and update are the product's own code. At --fidelity sums, masks
cancel exactly and are not drawn, and the shares of noise, which add up to one Skellam draw, are drawn for the sum: both say the
same of a release, and nothing of networks or of crypto. --fidelity messages runs every participant. A coordinator sends the
whole roster of a masked session to everybody on it in one frame, which some 4,000 fit: larger masked cohorts are planned as the
product plans them and summed here, need another way for the roster, and are refused at --fidelity messages. Noise is seeded and
protects nobody.

clientsPerSecond: participants in the sum over wall seconds, from drawing the cohort to the encoded release. Reading the data,
planning and testing are not in it; threads start while the first round is planned.`;

export function addSimulate(program: Command): void {
  addDataOptions(program.command('simulate').description('run the rounds of a federation of any size in one process'), { positional: true })
    .option('--data <name|file>', 'online-retail (embedded), or a file of events, ratings or sequences', 'online-retail')
    .addOption(new Option('--model <kind>', 'what is trained').choices(modelKinds).default('neighbours'))
    .option('--hyper-parameters <json>', 'JSON object, instead of the defaults', jsonObject)
    .option('--shoppers <n>', 'virtual shoppers, drawn from the real ones (default: the real ones, each once)', integerIn(1, 10_000_000))
    .option('--shops <n>', 'shops that the shoppers are of (default: 20)', integerIn(1, 65_535))
    .option('--partition <how>', 'hash: shops alike; country: of one country each; dirichlet:ALPHA: of different tastes (default: hash)', partition)
    .addOption(new Option('--sizes <how>', 'of shops of virtual shoppers: about equal, or of rank r as 1 / r (default: equal)').choices(['equal', 'zipf']))
    .addOption(new Option('--clients <who>', 'who takes part in rounds (default: shoppers with --shoppers and without --shops, else shops)').choices(['shops', 'shoppers']))
    .option('--cohort <n>', 'clients wanted in a round (default: all)', integerIn(1, 10_000_000))
    .option('--over-selection <factor>', 'invitations for each client wanted (default: 1)', numberIn(1, 3))
    .option('--quorum <share>', 'of the clients wanted: with fewer reports a round fails (default: 0.8)', numberIn(0.01, 1))
    .option('--dropout <probability>', 'that a client leaves before its report', fraction)
    .option('--stragglers <probability>', 'that a client takes ten times as long', fraction)
    .addOption(new Option('--availability <how>', 'diurnal: clients are there by night, mostly (default: always)').choices(['always', 'diurnal']))
    .option('--malicious <who>', 'shoppers:SHARE are invented, or participants:COUNT report the largest sums, to push one item', malicious)
    .option('--rounds <n>', 'that together spend epsilon (default: 1)', integerIn(1, 10_000))
    .option('--epsilon <number>', 'privacy of all rounds together, or none (default: 3)', epsilon)
    .option('--delta <number>', 'privacy slack (default: 1e-5)', probability)
    .addOption(new Option('--mode <mode>', 'distributed: shares of noise under masks; local: all of it by every client; central: once (default: distributed)').choices(['central', 'local', 'distributed']))
    .option('--clip-norm <number>', 'L2 norm of one contribution (default: what the model guarantees of a shopper\'s)', positiveNumber)
    .option('--noise-cohort <n>', 'noise as in a cohort of so many clients: epsilon is then that of such a federation, which this one estimates', integerIn(1, 100_000_000))
    .addOption(new Option('--unit <unit>', 'whose contribution is clipped and hidden (default: shopper)').choices(['shopper', 'shop']))
    .option('--aggregate <rule>', `mean, ${robustRules.join(', ')}, ${strategyKinds.join(', ')}, or JSON with settings: {"strategy":{"kind":"scaffold","localSteps":20}} (default: mean)`, aggregate)
    .addOption(new Option('--fidelity <how>', 'sums: see below; messages: every client speaks the whole protocol (default: sums)').choices(['sums', 'messages']))
    .option('--workers <n>', 'threads that sum beside the main one; results do not depend on it (default: all cores but one)', integerIn(0, 256))
    .option('--seed <n>', 'of everything that is drawn (default: 1)', integerIn(0, 2 ** 31 - 1))
    .option('--json', 'print one JSON object')
    .addHelpText('after', limits)
    .action(runSimulate);
}

/** @throws CestaError `usage.invalid` */
function partition(text: string): Scenario['population']['partition'] {
  if (text === 'hash' || text === 'country') return text;
  const match = /^dirichlet:(.+)$/.exec(text);
  if (match === null) throw new CestaError('usage.invalid', `--partition: expected hash, country or dirichlet:ALPHA, got ${text}`);
  return { dirichlet: positiveNumber(match[1]) };
}

/** @throws CestaError `usage.invalid` */
function malicious(text: string): Scenario['clients']['malicious'] {
  const [kind, value] = text.split(':');
  if (kind === 'shoppers') return { kind, share: fraction(value ?? '') };
  if (kind === 'participants') return { kind, count: integerIn(1, 10_000)(value ?? '') };
  throw new CestaError('usage.invalid', `--malicious: expected shoppers:SHARE or participants:COUNT, got ${text}`);
}

function aggregate(text: string): Json {
  return text.startsWith('{') ? jsonObject(text) : text;
}

/** A scenario takes infinity for no noise; commander takes null for no value. */
function epsilon(text: string): number {
  return text === 'none' ? Infinity : positiveNumber(text);
}

function scenarioOf(options: SimulateCommandOptions): Scenario {
  const { data, model, hyperParameters, shoppers, shops, partition: parted, sizes, clients, cohort, overSelection, quorum, dropout, stragglers, availability, malicious: attack, rounds, epsilon: spent, delta, mode, clipNorm, noiseCohort, unit, aggregate: combined, fidelity, seed } = options;
  const are = clients ?? (shoppers !== undefined && shops === undefined ? 'shoppers' : 'shops');
  return parseScenario({
    data, unit, aggregate: combined, rounds, fidelity, seed,
    model: { kind: model, hyperParameters },
    population: { shoppers, shops, partition: parted, sizes },
    clients: { are, perRound: cohort, overSelection, quorum, dropout, stragglers, availability, malicious: attack },
    privacy: { epsilon: spent, delta, mode, clip: clipNorm, noiseCohort },
  });
}

async function runSimulate(options: SimulateCommandOptions): Promise<void> {
  const scenario = scenarioOf(options);
  const { simulate } = await import('../simulate/simulate.ts');
  const spinner = ora({ stream: process.stderr, isEnabled: process.stderr.isTTY, isSilent: !process.stderr.isTTY }).start('reading the data');
  const times: RoundTime[] = [];
  try {
    const result = await simulate({
      scenario,
      read: readOptions(options),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      onTimed: (time) => void times.push(time),
      onRound: (record) => void (spinner.text = progressOf(record)),
    });
    spinner.stop();
    report(options, result, times);
  } finally {
    spinner.stop();
  }
}

function progressOf({ round, outcome, reported, epsilon: spent, metrics }: RoundRecord): string {
  return [`round ${round} ${outcome}`, `${reported} reports`, ...(spent === null ? [] : [`epsilon ${spent.toFixed(2)}`]), ...(metrics === null ? [] : [`ndcg@10 ${metrics['ndcg@10'].toFixed(4)}`])].join(', ');
}

function report(options: SimulateCommandOptions, result: SimulationResult, times: readonly RoundTime[]): void {
  const seconds = times.reduce((sum, time) => sum + time.seconds, 0);
  const clients = times.reduce((sum, time) => sum + time.clients, 0);
  const figures = { clientsPerSecond: seconds === 0 ? 0 : clients / seconds, peakRssMb: process.resourceUsage().maxRSS / 1024, seconds };
  const { scenario, rounds, metrics, epsilon: spent, delta, noiseCohort, dataHash } = result;
  print(options, { ...figures, epsilon: spent, delta, noiseCohort, rounds, metrics, scenario, dataHash }, [
    ...rounds.map((record) => `${progressOf(record)}${record.reason === null ? '' : `: ${record.reason}`}`),
    privacyOf(result),
    ...linesOf(metrics),
    `${figures.clientsPerSecond.toFixed(0)} clients a second, ${seconds.toFixed(1)} s in rounds, at most ${figures.peakRssMb.toFixed(0)} MB`,
  ].join('\n'));
}

function privacyOf({ scenario: { privacy: { mode } }, epsilon: spent, delta, noiseCohort }: SimulationResult): string {
  if (spent === null) return 'no noise, no privacy';
  return `epsilon ${spent.toFixed(3)}, delta ${delta}, mode ${mode}${noiseCohort === undefined ? '' : `: of a federation with ${noiseCohort} clients in a round, which this one estimates`}`;
}

/** Each with what it is, since names alone say little. */
function linesOf(metrics: SimulationResult['metrics']): string[] {
  return metricNames.filter((name) => Object.hasOwn(metrics, name)).map((name) => {
    const { unit, description } = metricInfo[name];
    return `  ${name.padEnd(20)} ${(unit === 'shops' ? metrics[name].toFixed(0) : metrics[name].toFixed(4)).padStart(7)}  ${description}`;
  });
}
