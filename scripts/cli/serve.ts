/** `cesta serve`: the coordinator. */
import { Option, type Command } from 'commander';
import { modelKinds } from '../../shared/recommender/federated-model.ts';
import { largestStaleness, privacyModes } from '../../shared/federation/plan.ts';
import type { CoordinatorOptions } from '../../server/coordinator.ts';
import { enrolmentModes, type EnrolmentMode } from '../../server/identity/admission.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { isLoopbackHost } from '../../shared/protocol/transport.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { NoteKey } from '../../shared/ledger/signed-note.ts';
import { collect, dayEnd, fraction, integerIn, jsonObject, positiveNumber, probability, witnessKey } from './options.ts';
import { createLogger, describeCredentials, print, untilStopped } from './output.ts';
import { readPem } from './tls-options.ts';

interface ServeOptions {
  task: string;
  model: string;
  mode: string;
  epsilon: number;
  delta: number;
  rounds: number;
  clipNorm?: number;
  asOf: number;
  hyperParameters?: Record<string, Json>;
  minShops?: number;
  tolerated?: number;
  colluding?: number;
  sampling?: number;
  encoding: 'sparse' | 'rotated';
  adaptiveClip?: number;
  shopsPerShopper: number;
  shops: number;
  overSelection: number;
  maxShoppers: number;
  gatherSeconds: number;
  trainingSeconds: number;
  gate?: number | true;
  gateTolerance?: number;
  buffered?: number;
  catalogue?: string;
  witness?: readonly NoteKey[];
  quorum: number;
  witnessSeconds: number;
  host: string;
  port: number;
  dataDir: string;
  database?: string;
  enrolment?: EnrolmentMode;
  nodesPerOrganisation: number;
  tlsCert?: string;
  tlsKey?: string;
  tlsClientCa?: string;
  behindTlsProxy?: boolean;
  json?: boolean;
}

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('run the coordinator: gather shops, run private rounds, serve the releases')
    .option('--task <name>', 'name of the task', 'main')
    .addOption(new Option('--model <kind>', 'what to train').choices(modelKinds.filter((kind) => kind !== 'item-knn')).default('neighbours'))
    .addOption(new Option('--mode <mode>', 'how the sums are protected').choices(privacyModes).default('distributed'))
    .option('--epsilon <number>', 'privacy limit of the whole task', positiveNumber, 3)
    .option('--delta <number>', 'privacy slack of the whole task', probability, 1e-5)
    .option('--rounds <n>', 'rounds that share the limit', integerIn(1, 10_000), 1)
    .option('--clip-norm <number>', 'L2 norm of one shopper\'s contribution (default: what the model guarantees)', positiveNumber)
    .option('--sampling <rate>', 'every shop takes each shopper with this probability, in secret (default: all)', probability)
    .addOption(new Option('--encoding <kind>', 'rotated: for models whose contributions are dense').choices(['sparse', 'rotated']).default('sparse'))
    .option('--adaptive-clip <n>', 'the clip norm follows the median norm; so many shoppers are expected in a sum', integerIn(1, 10_000_000))
    .option('--shops-per-shopper <n>', 'shops one person may be a shopper of: the budget is stated for that person, too', integerIn(1, 1000), 2)
    .option('--as-of <date>', 'the day that "recent" is reckoned back from (default: today)', dayEnd, dayEnd(new Date().toISOString().slice(0, 10)))
    .option('--hyper-parameters <json>', 'JSON object, instead of the defaults', jsonObject)
    .option('--min-shops <n>', 'fewest reports a sum may be made of (default: 5 in mode distributed, else 2)', integerIn(1, 10_000))
    .option('--tolerated <n>', 'mode distributed: dropouts that noise is planned for (default: a fifth of the shops)', integerIn(0, 1000))
    .option('--colluding <n>', 'mode distributed: shops that may collude (default: a tenth of the fewest, at least 1)', integerIn(0, 1000))
    .option('--shops <n>', 'reports wanted; a round starts as soon as this many shops are ready', integerIn(1, 10_000), 20)
    .option('--over-selection <factor>', 'invitations per wanted report', positiveNumber, 1.3)
    .option('--max-shoppers <n>', 'most shoppers of one shop: sizes the ring of the sum', integerIn(1, 10_000_000), 5_000)
    .option('--gather-seconds <n>', 'wait for more shops after the first', positiveNumber, 30)
    .option('--training-seconds <n>', 'deadline for reports', positiveNumber, 120)
    .option('--gate [share]', 'shops score each release after the first before it is served; evaluations take this share of the limit (0.1)', probability)
    .option('--gate-tolerance <fraction>', 'how far below the served release\'s score a new one may be (0.05)', fraction)
    .option('--buffered <maxStaleness>', 'modes none and local: slow shops are not cut off; their reports count, with less weight, up to so many releases later', integerIn(1, largestStaleness))
    .option('--catalogue <file>', 'products, CSV or JSONL (default: the union of what shops publish)')
    .option('--witness <name=key>', 'take cosignatures of the public record by this witness (repeatable)', collect(witnessKey))
    .option('--quorum <n>', 'witnesses that must have signed a plan before anybody is invited', integerIn(0, 100), 0)
    .option('--witness-seconds <n>', 'how long they may take', positiveNumber, 30)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 picks one', integerIn(0, 65_535), 8787)
    .option('--data-dir <folder>', 'where rounds, releases and the signing key are kept', '.cesta/coordinator')
    .addOption(new Option('--database <address>', 'keep rounds and budget in PostgreSQL instead, postgres://user@host/database (a password: better in PGPASSWORD, which others cannot list)').env('CESTA_DATABASE'))
    .option('--json', 'print one JSON object when ready')
    .action(serve);
  addAdmissionOptions(command);
}

/** Who may connect, and over what. */
function addAdmissionOptions(command: Command): void {
  command
    .addOption(new Option('--enrolment <mode>', 'required: only nodes with a certificate of this coordinator; open: a name belongs to the key that used it first (default: open on this machine, else required)').choices(enrolmentModes))
    .option('--nodes-per-organisation <n>', 'enrolled nodes of one organisation connected at a time', integerIn(1, 10_000), 5)
    .option('--tls-cert <file>', 'certificate chain (PEM): serve https and wss')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--tls-client-ca <file>', 'admit only peers with a certificate of this authority (PEM)')
    .option('--behind-tls-proxy', 'a proxy ends TLS and writes X-Forwarded-For');
}

function transportOf({ tlsCert, tlsKey, tlsClientCa, behindTlsProxy, host, enrolment, nodesPerOrganisation }: ServeOptions): Pick<CoordinatorOptions, 'tls' | 'behindTlsProxy' | 'identity'> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new CestaError('usage.invalid', '--tls-cert and --tls-key: expected both or none, got one');
  if (tlsClientCa !== undefined && tlsCert === undefined) throw new CestaError('usage.invalid', '--tls-client-ca: expected --tls-cert and --tls-key with it, got none');
  const isLocal = isLoopbackHost(host) && behindTlsProxy !== true;
  return {
    identity: { enrolment: enrolment ?? (isLocal ? 'open' : 'required'), nodesPerOrganisation },
    ...(behindTlsProxy === true ? { behindTlsProxy } : {}),
    ...(tlsCert === undefined || tlsKey === undefined ? {} : {
      tls: { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey), ...(tlsClientCa === undefined ? {} : { clientCa: readPem('--tls-client-ca', tlsClientCa) }) },
    }),
  };
}

function gateOf({ gate, gateTolerance }: ServeOptions): { readonly gate?: { readonly share?: number; readonly tolerance?: number } } {
  if (gate === undefined && gateTolerance !== undefined) throw new CestaError('usage.invalid', '--gate-tolerance: expected --gate with it, got none');
  if (gate === undefined) return {};
  return { gate: { ...(gate === true ? {} : { share: gate }), ...(gateTolerance === undefined ? {} : { tolerance: gateTolerance }) } };
}

async function serve(options: ServeOptions): Promise<void> {
  const { startCoordinator } = await import('../../server/coordinator.ts');
  const { readCatalogue } = await import('../../client/shop/read-data.ts');
  const { deploymentDefaults, parseModelKind } = await import('../../shared/recommender/registry.ts');
  const kind = parseModelKind(options.model);
  const catalogue = options.catalogue === undefined ? undefined : await readCatalogue(options.catalogue);
  const coordinator = await startCoordinator({
    task: {
      name: options.task,
      model: { kind, hyperParameters: { ...deploymentDefaults(kind, { asOf: options.asOf }), ...(options.hyperParameters ?? {}) } },
      privacy: {
        mode: options.mode,
        rounds: options.rounds,
        ...(options.mode === 'none' ? {} : { epsilon: options.epsilon, delta: options.delta }),
        ...(options.clipNorm === undefined ? {} : { clipNorm: options.clipNorm }),
        ...(options.sampling === undefined ? {} : { sampling: { rate: options.sampling, drawnBy: 'shop' } }),
        ...(options.adaptiveClip === undefined ? {} : { adaptiveClip: { expectedShoppers: options.adaptiveClip } }),
        ...(options.tolerated === undefined ? {} : { tolerated: options.tolerated }),
        ...(options.colluding === undefined ? {} : { colluding: options.colluding }),
        encoding: options.encoding,
        shopsPerShopper: options.shopsPerShopper,
      },
      cohort: { minParticipants: Math.min(options.minShops ?? (options.mode === 'distributed' ? 5 : 2), options.shops), targetParticipants: options.shops, overSelection: options.overSelection },
      deadlines: { recruitingMs: 60_000, trainingMs: Math.ceil(options.trainingSeconds * 1000) },
      maxShoppersPerShop: options.maxShoppers,
      ...gateOf(options),
      ...(options.buffered === undefined ? {} : { aggregation: { kind: 'buffered', maxStaleness: options.buffered } }),
    },
    host: options.host,
    port: options.port,
    dataDir: options.dataDir,
    database: options.database,
    gatherMs: Math.ceil(options.gatherSeconds * 1000),
    witnesses: { witnesses: options.witness ?? [], quorum: options.quorum },
    witnessMs: Math.ceil(options.witnessSeconds * 1000),
    logger: createLogger('coordinator'),
    ...transportOf(options),
    ...(catalogue === undefined ? {} : { catalogue }),
  });
  const { url, publicKey, firstOperator } = coordinator;
  // To the terminal alone, and once: the log never has it.
  const welcome = firstOperator === null ? [] : [describeCredentials(firstOperator), `  cesta login ${url}`];
  print(options, { url, publicKey, ...(firstOperator === null ? {} : { firstOperator }) }, [`Coordinator at ${url}`, `Key ${publicKey}`, ...welcome].join('\n'));
  await untilStopped();
  await coordinator.close();
}
