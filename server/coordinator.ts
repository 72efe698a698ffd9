/**
 * The coordinator: one process, one federation, one port. Gathers shops, runs the rounds of its tasks until what was
 * asked for is done or the budget is spent, and serves the releases. It sees sums only; what they protect, the plans say.
 */
import type { Logger } from 'pino';
import { parseTaskSpec, type TaskSpec } from '../shared/federation/task.ts';
import type { Round } from '../shared/federation/round.ts';
import { enforcePolicy, factsOfProducts, factsOfTask, screened } from '../shared/policy/checks.ts';
import { nobodyNamed } from '../shared/policy/accountability.ts';
import { requirePolicy } from '../shared/ledger/evidence.ts';
import { noWitnesses } from '../shared/ledger/witness-policy.ts';
import { connectStatement } from '../shared/protocol/messages.ts';
import { createStagingAreas } from './uploads.ts';
import { createCatalogueRoom, type CatalogueRoom } from './catalogue-room.ts';
import { openAdmin, type Admin } from './admin/admin.ts';
import type { OperatorCredentials } from './admin/credentials.ts';
import { createLive, type LiveFeed } from './dashboard/live.ts';
import { openQualityFile } from './dashboard/quality-file.ts';
import { systemClock } from './clock.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { createFloor } from './floor.ts';
import { defaultGatewayLimits } from './gateway/context.ts';
import { attachGateway } from './gateway.ts';
import { createApp } from './http/app.ts';
import { addressOf } from './http/address.ts';
import { openIdentity, type Identity } from './identity/identity.ts';
import { listen } from './listen.ts';
import { showFigures } from './figures.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { membersOf, progressOf, type RoundProgress } from './progress.ts';
import { openRecords, settledCatalogue, settleMain, withKept, type Records } from './records.ts';
import { reconcileNodes, recordNodes } from './ledger/node-ledger.ts';
import { openPublicRecord, type PublicRecord } from './ledger/public-record.ts';
import { drain, leave, type House } from './stopping.ts';
import type { SchedulePhase } from './schedule.ts';
import type { TaskOver } from './task-over.ts';
import { prepareOthers, prepareTask, type SharedContext } from './task-runtime.ts';
import { defaultTiming, type TaskTiming } from './task-timing.ts';
import { createTasks, type TaskDesk, type Tasks } from './tasks.ts';
import { createTransportServer, requireSafeTransport } from './transport.ts';

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
  /** Made by the first start on a data folder: shown to whoever started it, and kept nowhere. */
  readonly firstOperator: OperatorCredentials | null;
  readonly tasks: TaskDesk;
  /** Of the main task. */
  state(): CoordinatorState;
  /** Hears every step of every round. Returns what stops it. */
  onRound(listener: (progress: RoundProgress) => void): () => void;
  /** Resolves when first no task has a round left to open; releases are served until `close`. */
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
  if (options.policy !== undefined) enforcePolicy(options.policy, factsOfTask(task), `task ${task.name}`);
  const records = await openRecords({ folder: options.dataDir, database: options.database, clock });
  try {
    return await compose(options, await withKept(records.storage, task, options.keptHyperParameters ?? []), records);
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** What has been read and checked before anybody may connect. */
interface Ground {
  readonly room: CatalogueRoom;
  readonly record: PublicRecord;
  readonly tasks: Tasks;
}

/** What strangers may change. */
interface Door {
  readonly metrics: Metrics;
  readonly live: LiveFeed;
  isDraining: boolean;
  readonly identity: Identity;
  readonly behindProxy: boolean;
  readonly admin: Admin;
}

async function prepare(options: CoordinatorOptions, main: TaskSpec, { records, audience, metrics, live }: { records: Records; audience: Audience; metrics: Metrics; live: LiveFeed }): Promise<Ground> {
  const { catalogue, logger, clock = systemClock, witnesses = noWitnesses, policy } = options;
  const { storage, key } = records;
  const settled = await settledCatalogue(records, main.name, catalogue);
  if (policy !== undefined && settled !== null) enforcePolicy(policy, factsOfProducts(settled.products), 'catalogue');
  const room = createCatalogueRoom(settled, undefined, policy === undefined ? undefined : (products) => screened(policy, products));
  const record = await openPublicRecord({ storage, key, witnesses: requirePolicy(witnesses).witnesses });
  await reconcileNodes(record, storage);
  const context: SharedContext = {
    records, record, room, floor: createFloor(), areas: createStagingAreas(options.concurrentUploads), clock, logger, meter: metrics, timing: timingOf(options),
    quorum: witnesses.quorum,
    requireAllowed(spec) {
      if (policy !== undefined) enforcePolicy(policy, factsOfTask(spec), `task ${spec.name}`);
    },
    onProgress(round) {
      live.round(round);
      tell(audience, round, logger);
      metrics.round(progressOf(round));
    },
  };
  const first = await prepareTask(context, main, options.roundsWanted);
  const state = await settleMain(storage, { name: main.name, state: first.state }, logger);
  return { room, record, tasks: createTasks(context, [{ ...first, state }, ...(await prepareOthers(context, main))], audience.onOver) };
}

function timingOf({ gatherMs = defaultTiming.gatherMs, retryMs = defaultTiming.retryMs, stallMs = defaultTiming.stallMs, stageMs = defaultTiming.stageMs, witnessMs = defaultTiming.witnessMs }: CoordinatorOptions): TaskTiming {
  return { ...defaultTiming, gatherMs, retryMs, stallMs, stageMs, witnessMs };
}

/** Who listens to the rounds, and the last they heard. */
interface Audience {
  readonly listeners: Set<(progress: RoundProgress) => void>;
  last: Round | null;
  readonly over: Promise<TaskOver>;
  readonly onOver: (over: TaskOver) => void;
}

async function compose(options: CoordinatorOptions, task: TaskSpec, records: Records): Promise<Coordinator> {
  const { clock = systemClock, logger } = options;
  const metrics = createMetrics();
  const live = createLive({ clock, logger, tally: () => metrics.tally(), isMeasured: options.quality !== undefined });
  const audience = gatherAudience();
  const ground = await prepare(options, task, { records, audience, metrics, live });
  const { tasks, record } = ground;
  const identity = await openIdentity({ ...records, clock, logger }, recordNodes(record, { mostPerOrganisation: () => tasks.mostPerOrganisation(), ...options.identity }));
  const admin = await openAdmin({ ...records, identity, desk: tasks.desk, clock, logger });
  const door: Door = { isDraining: false, metrics, live, identity, behindProxy: options.behindTlsProxy === true, admin };
  const house = build(options, task, { ground, records, audience, door });
  const { gateway } = house;
  const { publicKey } = records.key;
  const lastRound = (): RoundProgress | null => (audience.last === null ? null : progressOf(audience.last));
  const state = (): CoordinatorState => ({
    task: task.name,
    phase: tasks.main.schedule.phase,
    shopsReady: gateway.ready().length,
    round: lastRound(),
    version: tasks.main.releases.current?.manifest.version ?? null,
    over: tasks.main.schedule.over,
  });
  showFigures(door, { ...ground, storage: records.storage, gateway, round: lastRound });
  let url: string;
  let firstOperator: OperatorCredentials | null;
  try {
    // Before anybody can connect: what arrives is for a task.
    tasks.attach(gateway);
    url = await listen(house.server, options.host ?? '127.0.0.1', options.port);
    // An error that nobody listens for would end the process.
    house.server.on('error', (error) => options.logger.error({ err: error }, 'the server reports an error'));
    await tasks.start();
    firstOperator = await admin.operators.makeFirst();
  } catch (error) {
    await leave(house);
    throw error;
  }
  options.logger.info({ url, task: task.name, publicKey }, 'coordinator listens');
  let closing: Promise<void> | null = null;
  return {
    url,
    publicKey,
    firstOperator,
    tasks: tasks.desk,
    over: audience.over,
    state,
    onRound(listener) {
      audience.listeners.add(listener);
      return () => void audience.listeners.delete(listener);
    },
    drain(limitMs) {
      door.isDraining = true;
      live.close();
      logger.info({ limitMs, round: audience.last?.plan.round ?? null }, 'coordinator drains');
      return drain(house, clock, limitMs);
    },
    close() {
      live.close();
      return (closing ??= leave(house).then(() => records.close()));
    },
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
  const { logger, clock = systemClock } = options;
  const { ground: { room, record, tasks }, records: { storage, key }, audience, door } = parts;
  const app = createApp({ accountability: options.accountability ?? nobodyNamed, tasks, publicKey: key.publicKey, storage, record, room, clock, logger, isDraining: () => door.isDraining, metrics: door.metrics, nodes: door, admin: door, dashboard: { hasPages: options.dashboard ?? true, live: door.live, quality: openQualityFile(options.quality) }, headers: { corsOrigins: options.corsOrigins ?? ['*'], isTls: options.tls !== undefined } });
  const server = createTransportServer(app, options.tls);
  const gateway = attachGateway(server, {
    coordinatorKey: key.publicKey, clock, logger, room, meter: door.metrics,
    task: task.name,
    events: tasks.events,
    limits: { ...defaultGatewayLimits, ...options.limits },
    proveKey: (nonce, shop) => key.sign(connectStatement('coordinator', nonce, shop, key.publicKey)),
    pinNode: (name, publicKey) => storage.pinNode(name, publicKey),
    admission: door.identity.admission,
    chargeConnect: (request) => door.identity.chargeAddress('connectsPerAddress', addressOf(request, door.behindProxy)),
  });
  door.identity.onExpel((participant, error) => gateway.expel(participant, error));
  door.admin.watch({ connected: () => gateway.connected(), ready: () => gateway.ready(), inRound: () => (audience.last === null ? [] : membersOf(audience.last)) });
  return { server, gateway, tasks, idle: () => Promise.all([door.identity.idle(), door.admin.idle()]) };
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
