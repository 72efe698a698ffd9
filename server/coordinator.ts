/**
 * The coordinator: one process, one federation task, one port. Gathers shops, runs rounds until what was asked for is
 * done or the budget is spent, and serves the releases. It sees sums only; what they protect, the plan says.
 */
import type { Logger } from 'pino';
import { createCatalogue, type Catalogue } from '../shared/commerce/catalogue.ts';
import { nextModel, withFirstCount, type StageModel } from '../shared/federation/stages.ts';
import { makePlan, parseTaskSpec, sharesOf, type TaskSpec } from '../shared/federation/task.ts';
import type { Round } from '../shared/federation/round.ts';
import { noWitnesses, requirePolicy, type WitnessPolicy } from '../shared/ledger/evidence.ts';
import { toCestaError, type ErrorCode } from '../shared/protocol/errors.ts';
import { connectStatement } from '../shared/protocol/messages.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { createModel } from '../shared/recommender/registry.ts';
import { createStagingAreas } from './uploads.ts';
import { createCatalogueRoom, type CatalogueRoom } from './catalogue-room.ts';
import { systemClock, type Clock } from './clock.ts';
import { defaultGatewayLimits, type GatewayEvents, type GatewayLimits } from './gateway/context.ts';
import { attachGateway } from './gateway.ts';
import { createApp } from './http/app.ts';
import { addressOf } from './http/address.ts';
import { openIdentity, type Identity, type IdentityOptions } from './identity/identity.ts';
import { listen } from './listen.ts';
import { drain, leave, type House } from './stopping.ts';
import { progressOf, type RoundProgress } from './progress.ts';
import { keepCatalogue, openRecords, settledCatalogue, settleTask, type Records } from './records.ts';
import { reconcile } from './ledger/reconcile.ts';
import { reconcileNodes, recordNodes } from './ledger/node-ledger.ts';
import { openPublicRecord, type PublicRecord } from './ledger/public-record.ts';
import { openRoundLedger } from './ledger/round-ledger.ts';
import type { Meter } from './meter.ts';
import { budgetSource, createMetrics, type Metrics } from './metrics.ts';
import { createReleases, type Releases } from './releases.ts';
import { createSchedule, type SchedulePhase, type TaskOver } from './schedule.ts';
import { createTransportServer, requireSafeTransport, type ServerTls } from './transport.ts';

export interface CoordinatorOptions {
  /** A `TaskSpec`, checked here. */
  readonly task: unknown;
  /** Holds the journal, the releases and the signing key; one process at a time. */
  readonly dataDir: string;
  /** A `postgres:` address: the journal is there instead, one coordinator at a time; folder and database stay together. */
  readonly database?: string | undefined;
  readonly logger: Logger;
  readonly host?: string;
  /** 0 picks one. */
  readonly port: number;
  /** Without it, the catalogue is the union of what the shops of the first round publish. */
  readonly catalogue?: Catalogue;
  /** Releases wanted in all, those of earlier processes included; by default, the rounds of the budget. */
  readonly roundsWanted?: number;
  /** How long the first ready shop waits for more than the quorum. */
  readonly gatherMs?: number;
  /** Pause after a failed round; doubles with each failure in a row. */
  readonly retryMs?: number;
  /** Reports that are taken in at the same time, each in a vector of its own. */
  readonly concurrentUploads?: number;
  /** An upload must advance by a full chunk within this time. */
  readonly stallMs?: number;
  /** Time for each stage of a masked session but that of the vectors; 30 s by default. */
  readonly stageMs?: number;
  /** Whose cosignatures the public record takes, and how many a plan needs before anybody is invited; none by default. */
  readonly witnesses?: WitnessPolicy;
  /** How long witnesses may take to sign a plan. */
  readonly witnessMs?: number;
  readonly limits?: Partial<GatewayLimits>;
  /** Who may take part. */
  readonly identity?: IdentityOptions;
  /** Required, or a proxy that does it, on an address that others reach. */
  readonly tls?: ServerTls;
  readonly behindTlsProxy?: boolean;
  /** Origins whose pages may read the public API; all, without it. */
  readonly corsOrigins?: readonly string[];
  readonly clock?: Clock;
}

export interface CoordinatorState {
  readonly task: string;
  readonly phase: SchedulePhase;
  readonly shopsReady: number;
  /** The round that is open, or the last one of this process. */
  readonly round: RoundProgress | null;
  /** Of the release that is served. */
  readonly version: number | null;
  readonly over: TaskOver | null;
}

export interface Coordinator {
  /** http: address of the server. */
  readonly url: string;
  /** Ed25519, hex. */
  readonly publicKey: string;
  state(): CoordinatorState;
  /** Hears every step of every round. Returns what stops it. */
  onRound(listener: (progress: RoundProgress) => void): () => void;
  /** Resolves when no further round will open; releases are served until `close`. */
  readonly over: Promise<TaskOver>;
  /**
   * Opens no more rounds and takes no more connections; resolves when the open round has ended, or the time is up. Releases are
   * served until `close`, which may be called meanwhile and ends the wait.
   */
  drain(limitMs: number): Promise<void>;
  /** Ends the open round, unless its release is being made, and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts a coordinator on a data folder, and carries on where an earlier one stopped.
 * @throws CestaError `plan.invalid` and others for a task that cannot be enforced; `storage.failed`; `network.port-in-use`
 * @example
 * const coordinator = await startCoordinator({ task, dataDir: '.cesta', port: 8787, logger: pino() });
 * coordinator.onRound(({ round, phase, reported }) => console.log(round, phase, reported));
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const task = parseTaskSpec(options.task);
  const { clock = systemClock } = options;
  requireSafeTransport({ ...options, host: options.host ?? '127.0.0.1' });
  const records = await openRecords({ folder: options.dataDir, database: options.database, clock });
  try {
    return await compose(options, task, records);
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** What has been read and checked before anybody may connect. */
interface Ground {
  readonly room: CatalogueRoom;
  readonly releases: Releases;
  readonly record: PublicRecord;
}

/** What strangers may change. */
interface Door {
  readonly metrics: Metrics;
  isDraining: boolean;
  readonly identity: Identity;
  readonly behindProxy: boolean;
}

async function prepare({ catalogue, logger, clock = systemClock, witnesses = noWitnesses }: CoordinatorOptions, task: TaskSpec, { records, meter }: { records: Records; meter: Meter }): Promise<Ground> {
  const { storage, blobs, key } = records;
  await settleTask(storage, task);
  const fixed = await settledCatalogue(records, task.name, catalogue);
  const crashed = await storage.failUnfinished(task.name, { code: 'round.failed', message: 'coordinator restarted' });
  if (crashed.length > 0) logger.warn({ rounds: crashed }, 'rounds that an earlier process left open have failed');
  const record = await openPublicRecord({ storage, key, witnesses: requirePolicy(witnesses).witnesses });
  const caughtUp = await reconcile(record, storage, task.name);
  await reconcileNodes(record, storage);
  if (caughtUp > 0) logger.warn({ entries: caughtUp }, 'the public record was behind the journal, and caught up');
  const releases = createReleases({ task: task.name, storage, blobs, key, clock, logger, meter });
  if (fixed === null) {
    refuseUnenforceable(task);
    return { room: createCatalogueRoom(null), releases, record };
  }
  // Whatever cannot be enforced is refused now, not when shops have come.
  makePlan(withFirstCount(task, fixed), { model: modelOf(fixed, nextModel(task, fixed, null)), catalogue: fixed, roundNumber: 1, baseRelease: null });
  await releases.load((model) => modelOf(fixed, model));
  return { room: createCatalogueRoom(fixed), releases, record };
}

/** Refusals that do not depend on what shops will publish. */
const lastingRefusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['config.invalid', 'model.unknown', 'privacy.mode-unavailable', 'privacy.invalid']);

/** Without a catalogue a task is checked against the smallest one, and for what would be wrong with any. */
function refuseUnenforceable(task: TaskSpec): void {
  const catalogue = createCatalogue([{ id: 'a', title: 'a' }, { id: 'b', title: 'b' }]);
  for (const makeModel of [() => modelOf(catalogue, task.model), () => createModel('popularity', catalogue, {})]) {
    try {
      makePlan(task, { model: makeModel(), catalogue, roundNumber: 1, baseRelease: null });
    } catch (error) {
      if (lastingRefusals.has(toCestaError(error).code)) throw error;
    }
  }
}

function modelOf(catalogue: Catalogue, { kind, hyperParameters }: StageModel): AnyFederatedModel {
  return createModel(kind, catalogue, hyperParameters);
}

/** Who listens to the rounds, and the last they heard. */
interface Audience {
  readonly listeners: Set<(progress: RoundProgress) => void>;
  last: Round | null;
  readonly over: Promise<TaskOver>;
  readonly onOver: (over: TaskOver) => void;
}

async function compose(options: CoordinatorOptions, task: TaskSpec, records: Records): Promise<Coordinator> {
  const metrics = createMetrics();
  const ground = await prepare(options, task, { records, meter: metrics });
  const audience = gatherAudience();
  const identity = await openIdentity({ ...records, clock: options.clock ?? systemClock, logger: options.logger }, recordNodes(ground.record, { ...(task.privacy.mode === 'distributed' ? { nodesPerOrganisation: sharesOf(task).colluding } : {}), ...options.identity }));
  const door: Door = { isDraining: false, metrics, identity, behindProxy: options.behindTlsProxy === true };
  const house = build(options, task, { ground, records, audience, door });
  const { gateway, schedule } = house;
  const { publicKey } = records.key;
  const state = (): CoordinatorState => ({
    task: task.name,
    phase: schedule.phase,
    shopsReady: gateway.ready().length,
    round: audience.last === null ? null : progressOf(audience.last),
    version: ground.releases.current?.manifest.version ?? null,
    over: schedule.over,
  });
  metrics.watch({ state, connections: () => gateway.connections, logSize: () => ground.record.size, budgets: budgetSource(task, ground.room, records.storage) });
  let url: string;
  try {
    url = await listen(house.server, options.host ?? '127.0.0.1', options.port);
    // An error that nobody listens for would end the process.
    house.server.on('error', (error) => options.logger.error({ err: error }, 'the server reports an error'));
    await schedule.start();
  } catch (error) {
    await leave(house);
    throw error;
  }
  options.logger.info({ url, task: task.name, publicKey }, 'coordinator listens');
  let closing: Promise<void> | null = null;
  return {
    url,
    publicKey,
    over: audience.over,
    state,
    onRound(listener) {
      audience.listeners.add(listener);
      return () => void audience.listeners.delete(listener);
    },
    drain(limitMs) {
      door.isDraining = true;
      options.logger.info({ limitMs, phase: schedule.phase }, 'coordinator drains');
      return drain(house, options.clock ?? systemClock, limitMs);
    },
    close: () => (closing ??= leave(house).then(() => records.close())),
  };
}

function gatherAudience(): Audience {
  let onOver: (over: TaskOver) => void = () => undefined;
  const over = new Promise<TaskOver>((resolve) => {
    onOver = resolve;
  });
  return { listeners: new Set(), last: null, over, onOver };
}

function build(options: CoordinatorOptions, task: TaskSpec, parts: { ground: Ground; records: Records; audience: Audience; door: Door }): House {
  const { logger, clock = systemClock, witnesses: { quorum } = noWitnesses, witnessMs = 30_000 } = options;
  const { ground: { room, releases, record }, records, audience, door } = parts;
  const { storage, key } = records;
  const app = createApp({ task, publicKey: key.publicKey, storage, record, releases, room, clock, logger, phase: () => schedule.phase, isDraining: () => door.isDraining, metrics: door.metrics, nodes: door, headers: { corsOrigins: options.corsOrigins ?? ['*'], isTls: options.tls !== undefined } });
  const server = createTransportServer(app, options.tls);
  // The gateway reports to the schedule and the schedule speaks through the gateway; nothing arrives before both stand.
  const events: GatewayEvents = {
    ready: (participant, resumed) => schedule.ready(participant, resumed),
    message: (participant, message) => schedule.message(participant, message),
    chunk: (participant, chunk) => schedule.chunk(participant, chunk),
    expelled: (participant, error) => schedule.expelled(participant, error),
    left: (participant) => schedule.left(participant),
  };
  const gateway = attachGateway(server, {
    task: task.name, coordinatorKey: key.publicKey, clock, logger, meter: door.metrics, room, events,
    limits: { ...defaultGatewayLimits, ...options.limits },
    proveKey: (nonce, shop) => key.sign(connectStatement('coordinator', nonce, shop, key.publicKey)),
    pinNode: (name, publicKey) => storage.pinNode(name, publicKey),
    admission: door.identity.admission,
    chargeConnect: (request) => door.identity.chargeAddress('connectsPerAddress', addressOf(request, door.behindProxy)),
  });
  door.identity.onExpel((participant, error) => gateway.expel(participant, error));
  const schedule = createSchedule({
    task, storage, releases, gateway, room,
    roundsWanted: options.roundsWanted ?? task.privacy.rounds,
    gatherMs: options.gatherMs ?? 30_000,
    retryMs: options.retryMs ?? 1_000,
    keepCatalogue: (catalogue) => keepCatalogue(records, task.name, catalogue),
    createModel: modelOf,
    openLedger: (plan, signal) => openRoundLedger({ record, storage, clock, quorum, witnessMs }, plan, signal),
    round: { areas: createStagingAreas(options.concurrentUploads), key, clock, logger, meter: door.metrics, stallMs: options.stallMs ?? 30_000, stageMs: options.stageMs ?? 30_000 },
    onOver: audience.onOver,
    onProgress(round) {
      tell(audience, round, logger);
      door.metrics.round(progressOf(round));
    },
  });
  return { server, gateway, schedule, records, identity: door.identity };
}

/** A listener is somebody else's code: its failure is logged and changes nothing. */
function tell(audience: Audience, round: Round, logger: Logger): void {
  audience.last = round;
  for (const listener of audience.listeners) {
    try {
      listener(progressOf(round));
    } catch (error) {
      logger.error({ err: error }, 'a listener of rounds failed');
    }
  }
}
