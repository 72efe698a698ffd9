/**
 * What outlives a round of a buffered task: its plan, the members that were told to train and have not reported, and the
 * vector in which their reports are summed. A report that comes late goes into the buffer of the next release, unless more
 * than `maxStaleness` releases were made since the one that its plan started from. Vectors are made when the first report
 * to a plan comes and given up with each release: at most `maxStaleness` + 1 at a time, whatever the number of shops.
 *
 * Time is bounded, too: see `watch`. While a release is being made nobody knows how old the next reports will be: they wait, whole, in their staging areas.
 * Nothing here is on a disk: after a crash stragglers are told that they are not members. Their plans stay charged.
 */
import type { Carried } from '../shared/federation/carried.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import type { SumPart } from '../shared/federation/staleness.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { Chunk } from '../shared/protocol/messages.ts';
import { publicMessage } from './disclosure.ts';
import type { RoundMessage } from './gateway/connection.ts';
import type { GatewayEvents } from './gateway/context.ts';
import { count, exclude, lose, retire, sweep, tell, watch, type Failure, type LateEvent, type News, type OlderPlan, type Release, type State, type StragglersOptions } from './straggler-books.ts';

export type { LateEvent, StragglersOptions } from './straggler-books.ts';

/** What a round leaves to its stragglers. */
export type ClosedRound = Pick<OlderPlan, 'plan' | 'aggregation' | 'receipts'>;

export interface Stragglers {
  /** Whoever is still to report to an older plan, or has a report in the buffer: to be invited by no round of training. */
  isBusy(participant: string): boolean;
  /** Whoever is still to report to an older plan, or waits for its report to be counted. */
  owes(participant: string): boolean;
  /** Reports in the buffer. */
  readonly held: number;
  /** A round opens. Older plans of another model are given up: their reports fit no sum of this one. */
  open(plan: Plan, onLate: (event: LateEvent, participant: string) => void): Carried;
  /** The round closes: keeps its plan, its reports and its stragglers. Until `released` or `failed`, nothing is added to a sum. */
  adopt(round: ClosedRound, members: readonly string[]): void;
  /** Waits for the receipts of late reports. Plans whose receipts failed are given up. @returns what failed, or null */
  settled(): Promise<CestaError | null>;
  /** Everything in the buffer, which is then empty. */
  take(): readonly SumPart[];
  /** The release of what was taken is served. */
  released(release: Release): void;
  /** The round ended without a release. What was taken for it is lost; what was not stays in the buffer. */
  failed(failure: Failure): void;
  /** Whether the participant was a straggler, which it is no longer. */
  exclude(participant: string, error: CestaError): boolean;
  /** Forgets everybody, and says why. */
  close(reason: string): void;
  /** Whether the message was about an older plan. @throws CestaError saying why it is refused. */
  message(participant: string, message: RoundMessage): boolean;
  /** As `message`. */
  chunk(participant: string, chunk: Chunk): boolean;
  left(participant: string): void;
  resumed(participant: string): void;
  restarted(participant: string): void;
}

export function createStragglers(options: StragglersOptions): Stragglers {
  const state: State = { options, plans: new Map(), planOf: new Map(), retired: new Set(), unheard: new Map(), open: null, taken: [], made: 0, last: { version: 0, sha256: '' }, isReleasing: false };
  const { plans } = state;
  return {
    isBusy: (participant) => state.planOf.has(participant),
    owes(participant) {
      const older = state.planOf.get(participant);
      return older !== undefined && !older.held.has(participant);
    },
    get held() {
      return [...plans.values()].reduce((count, { held }) => count + held.size, 0);
    },
    open: (plan, onLate) => open(state, plan, onLate),
    adopt({ plan, aggregation, receipts }, members) {
      state.isReleasing = true;
      const older: OlderPlan = { plan, hash: planHash(plan), aggregation, receipts, born: state.made, out: new Set(members), waiting: new Set(), held: new Set(), cancelTimer: () => undefined };
      plans.set(plan.round, older);
      watch(state, older, options.clock.now() + plan.deadlines.trainingMs * options.maxStaleness);
      for (const participant of members) state.planOf.set(participant, older);
      if (members.length > 0) options.logger.info({ round: plan.round, stragglers: members.length }, 'round closes, and its stragglers may report to a later one');
    },
    settled: () => settleReceipts(state),
    take: () => take(state),
    released: (release) => settleRelease(state, release),
    failed: (failure) => fail(state, failure),
    exclude(participant, error) {
      const older = state.planOf.get(participant);
      return older !== undefined && exclude(state, older, participant, error);
    },
    close: (reason) => close(state, reason),
    message: (participant, message) => acceptMessage(state, participant, message),
    chunk: (participant, chunk) => acceptChunk(state, participant, chunk),
    left: (participant) => state.planOf.get(participant)?.aggregation.discard(participant),
    resumed: (participant) => resume(state, participant),
    restarted(participant) {
      state.unheard.delete(participant);
      lose(state, state.planOf.get(participant), participant);
    },
  };
}

function open(state: State, plan: Plan, onLate: (event: LateEvent, participant: string) => void): Carried {
  const carried = new Map<string, 'working' | 'reported'>();
  state.open = { plan, onLate };
  for (const older of [...state.plans.values()]) {
    if (contentOf(older.plan) !== contentOf(plan)) {
      retire(state, older, { type: 'round-done', round: older.plan.round, ...state.last });
      continue;
    }
    for (const participant of older.out) carried.set(participant, 'working');
    for (const participant of older.held) carried.set(participant, 'reported');
  }
  return carried;
}

/** What a sum is about: the model, its layout and the catalogue. */
function contentOf({ model, catalogueHash }: Plan): string {
  return canonicalJson({ model, catalogueHash });
}

/** Reports in one vector cannot be told apart: with one that is not acknowledged for certain, no sum may have any of them. */
async function settleReceipts(state: State): Promise<CestaError | null> {
  let first: CestaError | null = null;
  for (const older of [...state.plans.values()]) {
    const failure = await older.receipts.settled();
    if (failure === null || !state.plans.has(older.plan.round)) continue;
    first ??= failure;
    retire(state, older, { type: 'round-failed', round: older.plan.round, code: failure.code, message: publicMessage(failure) });
  }
  return first;
}

function take(state: State): readonly SumPart[] {
  const parts: SumPart[] = [];
  for (const { plan, aggregation, born, held } of state.plans.values()) {
    const sum = aggregation.drain();
    if (sum !== null) parts.push({ ...sum, staleness: state.made - born });
    for (const participant of held) {
      state.taken.push({ round: plan.round, participant });
      state.planOf.delete(participant);
    }
    held.clear();
  }
  return parts;
}

function settleRelease(state: State, { version, sha256 }: Release): void {
  const release = { version, sha256 };
  state.made += 1;
  state.last = release;
  for (const older of [...state.plans.values()]) {
    if (state.made - older.born > state.options.maxStaleness) retire(state, older, { type: 'round-done', round: older.plan.round, ...release });
  }
  resumeCounting(state, (round) => ({ type: 'round-done', round, ...release }));
}

function fail(state: State, { round: failed, code, message }: Failure): void {
  // Its members hear of the failure as members of the round.
  const own = state.plans.get(failed);
  if (own !== undefined) retire(state, own, null);
  resumeCounting(state, (round) => ({ type: 'round-failed', round, code, message }));
}

function resumeCounting(state: State, newsOf: (round: string) => News): void {
  state.open = null;
  state.isReleasing = false;
  for (const { round, participant } of state.taken) tell(state, participant, newsOf(round));
  state.taken = [];
  for (const older of [...state.plans.values()]) {
    for (const participant of [...older.waiting]) count(state, older, participant);
    sweep(state, older);
  }
}

function acceptMessage(state: State, participant: string, message: RoundMessage): boolean {
  const older = state.plans.get(message.round);
  if (older === undefined || state.planOf.get(participant) !== older) return refuseForgotten(state, message);
  switch (message.type) {
    case 'report':
      acceptReport(state, older, participant, message);
      return true;
    case 'decline':
    case 'leave':
      lose(state, older, participant);
      return true;
    case 'join':
    case 'masked':
      return false;
    default:
      return message satisfies never;
  }
}

/** After a release too many, or a restart: being late is nobody's fault. */
function refuseForgotten({ open: current }: State, { type, round }: RoundMessage): false {
  if (type !== 'report' || current?.plan.aggregation === undefined || current.plan.round === round) return false;
  throw new CestaError('round.not-member', `report: expected one of ${current.plan.round} or of a straggler, got one of ${round}; wait for the next round`);
}

function acceptReport(state: State, older: OlderPlan, participant: string, { planHash: hash, length, sha256 }: Extract<RoundMessage, { type: 'report' }>): void {
  if (hash !== older.hash) throw new CestaError('update.wrong-round', `planHash: expected ${older.hash}, got ${hash}`);
  // The acceptance follows.
  if (older.waiting.has(participant)) return;
  if (older.held.has(participant)) return acceptAgain(state, older, participant);
  guard(state, older, participant, 'update.wrong-length', () => older.aggregation.announce(participant, { length, sha256 }));
}

function acceptAgain({ options: { gateway } }: State, { plan, receipts }: OlderPlan, participant: string): void {
  const receipt = receipts.of(participant);
  if (receipt !== null) gateway.send(participant, { type: 'accepted', round: plan.round, receipt });
}

function acceptChunk(state: State, participant: string, { round, offset, data }: Chunk): boolean {
  const older = state.plans.get(round);
  if (older === undefined || !older.out.has(participant)) return state.retired.has(round);
  if (guard(state, older, participant, null, () => older.aggregation.take(participant, offset, data)) !== 'complete') return true;
  if (!state.isReleasing) {
    count(state, older, participant);
    return true;
  }
  older.out.delete(participant);
  older.waiting.add(participant);
  return true;
}

/** A straggler that breaks the rules is out. @param code the one error that puts it out, or null for any */
function guard<T>(state: State, older: OlderPlan, participant: string, code: CestaError['code'] | null, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const coded = toCestaError(error);
    if (code === null || coded.code === code) exclude(state, older, participant, coded);
    throw coded;
  }
}

function resume(state: State, participant: string): void {
  const { unheard, options: { gateway } } = state;
  const news = unheard.get(participant);
  if (news !== undefined && gateway.send(participant, news)) unheard.delete(participant);
  const older = state.planOf.get(participant);
  if (older === undefined) return;
  const { plan: { round, deadlines } } = older;
  if (older.held.has(participant)) acceptAgain(state, older, participant);
  if (!older.out.has(participant)) return;
  // What was under way on the old connection starts afresh; whether it was told to train, nobody knows.
  older.aggregation.discard(participant);
  gateway.send(participant, { type: 'train', round, deadlineMs: deadlines.trainingMs });
}

function close(state: State, reason: string): void {
  for (const older of [...state.plans.values()]) retire(state, older, { type: 'round-failed', round: older.plan.round, code: 'round.failed', message: reason });
}

/** The events of a coordinator whose rounds leave stragglers: what is about an older plan does not reach the open round. */
export function routeStragglers(stragglers: Stragglers, events: GatewayEvents): GatewayEvents {
  return {
    ready(participant, resumed) {
      if (resumed) stragglers.resumed(participant);
      else stragglers.restarted(participant);
      events.ready(participant, resumed);
    },
    message(participant, message) {
      if (!stragglers.message(participant, message)) events.message(participant, message);
    },
    chunk(participant, chunk) {
      if (!stragglers.chunk(participant, chunk)) events.chunk(participant, chunk);
    },
    expelled(participant, error) {
      stragglers.exclude(participant, error);
      events.expelled(participant, error);
    },
    left(participant) {
      stragglers.left(participant);
      events.left(participant);
    },
  };
}
