/**
 * The shop node: a participant with a shop's own data. Histories stay in this process; what leaves is one noised sum
 * a round, recorded as spent before its first byte is sent. It protects shoppers against the coordinator and the
 * other shops, not against the shop itself.
 */
import * as crypto from 'node:crypto';
import type { Logger } from 'pino';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import { permits } from '../../shared/commerce/consent.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { drawNoise } from '../../shared/federation/noise-shares.ts';
import { addDrawnNoise } from '../../shared/federation/statistic.ts';
import { controlIn } from '../../shared/federation/strategies/state-tensors.ts';
import { noWitnesses, type WitnessPolicy } from '../../shared/ledger/evidence.ts';
import type { Noised } from '../../shared/privacy/vectors.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { requireSecureAddress } from '../../shared/protocol/transport.ts';
import type { AnyStatistic } from '../../shared/recommender/federated-model.ts';
import { nodeCrypto } from '../../shared/secagg/node-crypto.ts';
import { openConnection, type ConnectionHandlers } from '../connection.ts';
import type { Fetch } from '../http.ts';
import { startParticipant, type ParticipantEvent } from '../participant.ts';
import { checkBudget } from '../plan-checks.ts';
import { createRecordChecks, type RecordChecks } from '../record-checks.ts';
import { systemRandom } from '../secure-random.ts';
import type { OpenSocket } from '../socket.ts';
import { defaultMaxDelta, spendOf, totalSpent, type SpendLimits, type Spent } from '../spends.ts';
import { certificateSource } from './certificate-file.ts';
import { fetchCatalogue, fetchCheckpoint, fetchRelease, fetchTile, roundsAddress } from './coordinator-api.ts';
import type { ControlFiles } from './control-files.ts';
import type { MappingReport } from './federation-histories.ts';
import { createModelCache, type ModelCache } from './model-cache.ts';
import { logEvent } from './node-log.ts';
import { nodeSockets } from './node-socket.ts';
import { peerCheck } from './peers.ts';
import { roundSubject, type RoundBase, type RoundSubject } from './round-subject.ts';
import { sumShoppers, trainShop, type ShopChange, type ShopWork } from './shop-statistic.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';

export type ShopNodeEvent =
  | ParticipantEvent
  /** The statistic is made and its spend is on record. */
  | { readonly kind: 'trained'; readonly round: string; readonly mapping: MappingReport; readonly spent: Spent };

export interface ShopNodeOptions {
  readonly shop: string;
  readonly dataset: Dataset;
  /** http: or https: address of the coordinator. */
  readonly coordinator: URL;
  /** Key, pinned coordinator key and record of spends are kept in a folder of this shop's name below it. */
  readonly stateDir: string;
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
  const { commit, ...trainer } = createTrainer(options, state, tell);

  const connect = (handlers: ConnectionHandlers) =>
    openConnection({ url: roundsAddress(coordinator), openSocket, shop, key: state.key, coordinatorKey: state.coordinatorKey, certificate, products: options.dataset.catalogue.products, ...handlers });
  const record = recordOf(options, state);
  const participant = startParticipant({
    connect,
    ...(options.tasks === undefined ? {} : { tasks: options.tasks }),
    ...(maxEpsilon === undefined ? {} : { budget: { maxEpsilon, maxDelta, record: () => state.ledger.read() } }),
    ...trainer,
    masking: { id: shop.toLowerCase(), key: state.key, crypto: nodeCrypto(crypto), recordRelease: (sessionId) => state.recordRelease(sessionId), acceptDirectory: peerCheck(state.peers, { ownKey: state.key.publicKey, known: options.peers, onChange: (name) => logger.warn({ name }, 'another shop has a new key') }) },
    record,
    receipts: { shop: shop.toLowerCase(), node: state.key.publicKey, keep: (receipt) => state.receipts.append(receipt) },
    onEvent(event) {
      tell(event);
      if (event.kind === 'coordinator-key') pin(event.key);
      if (event.kind === 'reported') ending.rounds += 1;
      if (event.kind === 'round-done' && event.took === 'part') commit(event.round);
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

interface Trainer {
  /** A round ended in a release that has this shop's report. */
  readonly commit: (round: string) => void;
  model(plan: Plan): Promise<AnyStatistic>;
  accept(plan: Plan): void;
  statistic(plan: Plan, planHash: string, terms: { readonly participants: number; readonly signal: AbortSignal }): Promise<Noised>;
}

function createTrainer(options: ShopNodeOptions, state: StateFolder, tell: (event: ShopNodeEvent) => void): Trainer {
  const { ledger } = state;
  const { dataset, coordinator, maxEpsilon, maxDelta = defaultMaxDelta, modelCache = createModelCache(), fetch = globalThis.fetch } = options;
  const catalogueOf = ({ catalogueHash }: Plan): Promise<Catalogue> => modelCache.catalogue(catalogueHash, () => fetchCatalogue(fetch, coordinator, catalogueHash));
  const subjectOf = async (plan: Plan): Promise<RoundSubject> => roundSubject(plan, await catalogueOf(plan), { modelCache, release: (sha256) => fetchRelease(fetch, { coordinator, coordinatorKey: state.coordinatorKey ?? '', task: plan.task }, sha256) });
  const consenting = dataset.shoppers.filter(({ degree }) => permits(degree, 'improve')).length;
  if (options.capacity !== undefined && consenting > options.capacity) {
    throw new CestaError('config.invalid', `capacity: expected room for the ${consenting} shoppers of this shop, got ${options.capacity}`);
  }
  let proposed: Plan | null = null;
  return {
    commit(round) {
      if (proposed?.round !== round) return;
      try {
        state.controls.commit(proposed.task, round);
      } catch (error) {
        // The next plan's base release says the same again.
        options.logger.warn({ err: error, round }, 'the control variate of a round could not be kept');
      }
    },
    model: async (plan) => (await subjectOf(plan)).statistic,
    accept({ unit, bounds: { maxShoppersPerShop } }) {
      // A shop that is one contribution is that whatever its size.
      if (unit === 'shop') return;
      // The answer goes to the coordinator: it names what is declared, never what was counted.
      if ((options.capacity ?? consenting) > maxShoppersPerShop) {
        throw new CestaError('privacy.infeasible', `maxShoppersPerShop: expected room for ${options.capacity ?? 'all shoppers of this shop'}, got ${maxShoppersPerShop}`);
      }
    },
    async statistic(plan, planHash, { participants, signal }) {
      const catalogue = await catalogueOf(plan);
      const subject = await subjectOf(plan);
      const base = await subject.base();
      const random = systemRandom();
      // Before the data: the time of a draw depends on its value and must not be measured against the data.
      const noise = drawNoise(plan, participants, random);
      const { sum, report, controls } = await contributionsOf({ dataset, catalogue, model: subject.statistic, params: base.params, plan, random }, { base, files: state.controls, signal });
      signal.throwIfAborted();
      // A second sum of the same data under one plan would be two for the price of one in every public account.
      if (plan.privacy.mode !== 'none' && ledger.read().spends.some((spend) => spend.planHash === planHash)) {
        throw new CestaError('protocol.replayed', `plan of ${plan.round}: expected to be answered once, and it was before`);
      }
      // The record is read again here: another round may have spent since the invitation.
      if (maxEpsilon !== undefined) checkBudget(plan, ledger.read(), { maxEpsilon, maxDelta });
      ledger.append(spendOf(plan, planHash, new Date().toISOString()));
      if (controls !== null) state.controls.propose(plan.task, plan.round, controls);
      proposed = controls === null ? null : plan;
      const noised = addDrawnNoise(sum, noise);
      tell({ kind: 'trained', round: plan.round, mapping: report, spent: totalSpent(ledger.read(), limitsOf(options)) });
      return noised;
    },
  };
}

interface Contributions extends Omit<ShopChange, 'own'> {
  /** What the shop's control variate was and will be; null but for SCAFFOLD. */
  readonly controls: { readonly own: Float32Array; readonly next: Float32Array } | null;
}

/** The clipped sum of a plan, of whichever unit. */
async function contributionsOf(work: ShopWork, { base, files, signal }: { readonly base: RoundBase; readonly files: ControlFiles; readonly signal: AbortSignal }): Promise<Contributions> {
  const { plan, model } = work;
  if (plan.unit !== 'shop') return { ...(await sumShoppers(work, signal)), controls: null };
  if (plan.strategy?.kind !== 'scaffold') return { ...(await trainShop({ ...work, controls: null }, signal)), controls: null };
  const length = model.statisticLength();
  const own = files.read(plan.task, length, base.round);
  const control = plan.baseRelease === null ? new Float32Array(length) : controlIn(base.strategy, length);
  const { own: next, ...change } = await trainShop({ ...work, controls: { control, own } }, signal);
  return { ...change, controls: next === null ? null : { own, next } };
}
