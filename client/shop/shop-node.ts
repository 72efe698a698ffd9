/**
 * The shop node: a participant with a shop's own data. Histories stay in this process; what leaves is one noised sum
 * a round, recorded as spent before its first byte is sent. It protects shoppers against the coordinator and the
 * other shops, not against the shop itself.
 */
import * as crypto from 'node:crypto';
import type { Logger } from 'pino';
import { permits } from '../../shared/commerce/consent.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { noWitnesses, type WitnessPolicy } from '../../shared/ledger/witness-policy.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { requireSecureAddress } from '../../shared/protocol/transport.ts';
import { enforcePolicy, factsOfPlan } from '../../shared/policy/checks.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { nodeCrypto } from '../../shared/secagg/node-crypto.ts';
import { openConnection, type ConnectionHandlers } from '../connection.ts';
import { fetchCheckpoint, fetchTile, roundsAddress } from '../coordinator-api.ts';
import type { Fetch } from '../http.ts';
import type { ModelCache } from '../model-cache.ts';
import { startParticipant, type ParticipantEvent } from '../participant.ts';
import { peerCheck } from '../peers.ts';
import { createRecordChecks, type RecordChecks } from '../record-checks.ts';
import type { OpenSocket } from '../socket.ts';
import { defaultMaxDelta, totalSpent, type SpendLimits } from '../spends.ts';
import { createTrainer, type TrainedEvent, type Trainer } from '../trainer.ts';
import { certificateSource } from './certificate-file.ts';
import { logEvent } from './node-log.ts';
import { nodeSockets } from './node-socket.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';

export type ShopNodeEvent = ParticipantEvent | TrainedEvent;

export interface ShopNodeOptions {
  readonly shop: string;
  /** As a function: what there is at each round, which may grow and shrink. */
  readonly dataset: Dataset | (() => Dataset);
  /** What of it a round of this plan trains on; without it, all. */
  readonly datasetFor?: (plan: Plan) => Dataset;
  /** http: or https: address of the coordinator. */
  readonly coordinator: URL;
  /** Key, pinned coordinator key and record of spends are kept in a folder of this shop's name below it. */
  readonly stateDir: string;
  /** Of the package pino, or what has its methods. */
  readonly logger: Logger;
  /** The coordinator's key, 32 bytes in hex; without it, the first key met is trusted and pinned. */
  readonly coordinatorKey?: string;
  /** Rounds that would take this shop's own total beyond it are declined, and so are rounds without privacy. */
  readonly maxEpsilon?: number;
  /** Whose cosignatures the public record must have before this shop takes part, and how many; none by default. */
  readonly witnesses?: WitnessPolicy;
  /** What this shop's own epsilon is stated at, whatever delta a plan claims; 1e-4 by default. */
  readonly maxDelta?: number;
  /**
   * Shoppers this shop declares room for: a public number. Plans with room for fewer are declined whatever the data
   * holds; without it the answer depends on the number of shoppers, and so tells about it.
   */
  readonly capacity?: number;
  /** Shops that this one knows, by name and key: a masked sum with more strangers than may collude is declined. */
  readonly peers?: ReadonlyMap<string, string>;
  /** Takes part in rounds of these tasks only; without it, of all. */
  readonly tasks?: readonly string[];
  /** Plans outside of it are declined: their mode, and how few participants a sum may be made of. */
  readonly policy?: Policy;
  /** Stay when no task has a round left: the operator may make another. */
  readonly stay?: boolean;
  /** Leave after the first release. */
  readonly once?: boolean;
  /** Shared by the nodes of one process. */
  readonly modelCache?: ModelCache;
  readonly openSocket?: OpenSocket;
  readonly fetch?: Fetch;
}

export interface ShopNodeSummary {
  /** Reports the coordinator accepted. */
  readonly rounds: number;
  /** By this shop's own record, earlier runs included; null once anything was reported without privacy. */
  readonly epsilonSpent: number | null;
  readonly ended: 'closed' | 'once' | 'task-over';
}

export interface ShopNode {
  /** Leaves the open round, if any, and ends. Resolves when the node has ended. */
  close(): Promise<void>;
  /** Resolves when the node has ended in good order; rejects with the error that ended it. */
  readonly done: Promise<ShopNodeSummary>;
  /** Returns what unsubscribes. */
  onEvent(listener: (event: ShopNodeEvent) => void): () => void;
}

/**
 * Starts a shop node. Work that takes long happens between turns of the event loop.
 * @throws CestaError `config.invalid`, `storage.failed`, or `transport.insecure` for a coordinator elsewhere without TLS
 * @example
 * const node = startShopNode({ shop: 'corner-shop', dataset, coordinator: new URL('https://cesta.example.org'),
 *   stateDir: '.cesta/shops', logger: pino(), maxEpsilon: 3 });
 * await node.done;
 */
export function startShopNode(options: ShopNodeOptions): ShopNode {
  const { shop, coordinator, maxEpsilon, maxDelta = defaultMaxDelta, openSocket = nodeSockets } = options;
  const logger = options.logger.child({ shop });
  requireSecureAddress('coordinator', coordinator);
  const state = openStateFolder(options.stateDir, shop);
  const certificate = certificateSource(state);
  if (options.coordinatorKey !== undefined) requireCoordinator(state, options.coordinatorKey);
  if (state.keyWasExposed) logger.warn({ folder: state.path }, 'the key file could be read by others; its permissions are tightened now');
  const listeners = new Set<(event: ShopNodeEvent) => void>([(event) => logEvent(logger, event)]);
  const tell = (event: ShopNodeEvent): void => listeners.forEach((listener) => listener(event));
  const ending = createEnding(state, limitsOf(options));
  const trainer = trainerOf(options, state, tell);

  const connect = (handlers: ConnectionHandlers) =>
    openConnection({ url: roundsAddress(coordinator), openSocket, shop, key: state.key, coordinatorKey: state.coordinatorKey, certificate, products: datasetOf(options)().catalogue.products, ...handlers });
  const record = recordOf(options, state);
  const participant = startParticipant({
    connect,
    ...(options.tasks === undefined ? {} : { tasks: options.tasks }),
    ...(maxEpsilon === undefined ? {} : { budget: { maxEpsilon, maxDelta, record: () => state.ledger.read() } }),
    ...trainer,
    accept: acceptOf(options, trainer),
    masking: { id: shop.toLowerCase(), key: state.key, crypto: nodeCrypto(crypto), recordRelease: (sessionId) => state.recordRelease(sessionId), acceptDirectory: peerCheck(state.peers, { ownKey: state.key.publicKey, known: options.peers, onChange: (name) => logger.warn({ name }, 'another shop has a new key') }) },
    record,
    receipts: { shop: shop.toLowerCase(), node: state.key.publicKey, keep: (receipt) => state.receipts.append(receipt) },
    onEvent(event) {
      tell(event);
      if (event.kind === 'coordinator-key') pin(event.key);
      if (event.kind === 'reported') ending.rounds += 1;
      if (event.kind === 'round-done' && event.took === 'part') keepControls(trainer, event.round, logger);
      if (event.kind === 'task-over' && options.stay !== true) leave('task-over');
      if (event.kind === 'round-done' && options.once === true) leave('once');
      // What a round left behind in the public record is remembered before the node is gone.
      if (event.kind === 'over') void record.settled().then(() => ending.settle(event.error));
    },
  });
  function pin(key: string): void {
    try {
      state.pinCoordinator(key);
    } catch (thrown) {
      ending.settle(toCestaError(thrown));
      participant.stop();
    }
  }
  function leave(reason: ShopNodeSummary['ended']): void {
    ending.reason = reason;
    participant.stop();
  }
  return {
    done: ending.done,
    close() {
      participant.stop();
      return ending.done.then(() => undefined, () => undefined);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function acceptOf({ policy }: ShopNodeOptions, trainer: Trainer): (plan: Plan) => void {
  return (plan) => {
    if (policy !== undefined) enforcePolicy(policy, factsOfPlan(plan), plan.round);
    trainer.accept(plan);
  };
}

function recordOf({ coordinator, witnesses = noWitnesses, fetch = globalThis.fetch }: ShopNodeOptions, { heads }: StateFolder): RecordChecks {
  return createRecordChecks({
    memory: heads,
    policy: witnesses,
    readTile: (address) => fetchTile(fetch, coordinator, address),
    readHead: () => fetchCheckpoint(fetch, coordinator),
  });
}

/** A key that is given is pinned like one that was met; two keys that disagree are for a person to decide. */
function requireCoordinator(state: StateFolder, key: string): void {
  if (!/^[0-9a-f]{64}$/.test(key)) throw new CestaError('config.invalid', `coordinatorKey: expected 32 bytes in lower-case hex, got ${JSON.stringify(key)}`);
  if (state.coordinatorKey === null) return state.pinCoordinator(key);
  if (state.coordinatorKey !== key) throw new CestaError('config.invalid', `coordinatorKey: expected the key pinned in ${state.path}, ${state.coordinatorKey}, got ${key}`);
}

function limitsOf({ maxEpsilon, maxDelta }: ShopNodeOptions): Partial<SpendLimits> {
  return { ...(maxEpsilon === undefined ? {} : { maxEpsilon }), ...(maxDelta === undefined ? {} : { maxDelta }) };
}

interface Ending {
  rounds: number;
  reason: ShopNodeSummary['ended'];
  readonly done: Promise<ShopNodeSummary>;
  settle(error: CestaError | null): void;
}

function createEnding({ ledger }: StateFolder, limits: Partial<SpendLimits>): Ending {
  let resolve: (summary: ShopNodeSummary) => void;
  let reject: (error: CestaError) => void;
  const done = new Promise<ShopNodeSummary>((onDone, onError) => [resolve, reject] = [onDone, onError]);
  // A caller that only listens to events must not be ended by a rejection it never asked for.
  done.catch(() => undefined);
  const ending: Ending = {
    rounds: 0,
    reason: 'closed',
    done,
    settle(error) {
      if (error !== null) return reject(error);
      try {
        const { epsilon } = totalSpent(ledger.read(), limits);
        resolve({ rounds: ending.rounds, epsilonSpent: Number.isFinite(epsilon) ? epsilon : null, ended: ending.reason });
      } catch (thrown) {
        reject(toCestaError(thrown));
      }
    },
  };
  return ending;
}

function keepControls({ settle }: Trainer, round: string, logger: Logger): void {
  try {
    settle(round);
  } catch (error) {
    // The next plan's base release says the same again.
    logger.warn({ err: error, round }, 'the control variate of a round could not be kept');
  }
}

function trainerOf(options: ShopNodeOptions, state: StateFolder, tell: (event: TrainedEvent) => void): Trainer {
  const { capacity, coordinator, modelCache, fetch = globalThis.fetch } = options;
  const { ledger } = state;
  const dataset = datasetOf(options);
  requireRoom(dataset(), capacity);
  return createTrainer({
    coordinator, fetch, tell,
    dataset: (plan) => requireRoom(options.datasetFor?.(plan) ?? dataset(), capacity),
    coordinatorKey: () => state.coordinatorKey,
    limits: limitsOf(options),
    controls: state.controls,
    ...(capacity === undefined ? {} : { capacity }),
    ...(modelCache === undefined ? {} : { modelCache }),
    commit(decide) {
      ledger.append(decide(ledger.read()));
      return ledger.read();
    },
  });
}

function datasetOf({ dataset }: Pick<ShopNodeOptions, 'dataset'>): () => Dataset {
  return typeof dataset === 'function' ? dataset : () => dataset;
}

/**
 * A shop that outgrew what it declares takes part in no round. Were some shoppers left out instead, one who goes would let
 * another in, and the sum would change by two where the noise hides one.
 */
function requireRoom(dataset: Dataset, capacity: number | undefined): Dataset {
  const consenting = dataset.shoppers.filter(({ degree }) => permits(degree, 'improve')).length;
  if (capacity !== undefined && consenting > capacity) {
    throw new CestaError('config.invalid', `capacity: expected room for the ${consenting} shoppers of this shop, got ${capacity}`);
  }
  return dataset;
}
