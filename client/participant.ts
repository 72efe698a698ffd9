/**
 * Takes part in rounds: runs the effects of the participation state machine over a connection. Used by shop nodes
 * and by browsers: what is theirs (the model, the statistic, the record of spends) comes in as callbacks.
 */
import type { Plan } from '../shared/federation/plan.ts';
import { withoutMask } from '../shared/federation/statistic.ts';
import { encodeBase64 } from '../shared/ledger/base64.ts';
import { verifyReceipt, type ReceiptTerms, type SignedReceipt } from '../shared/ledger/receipt.ts';
import type { Masked, Noised } from '../shared/privacy/vectors.ts';
import { sha256Hex } from '../shared/protocol/digest.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { Awaitable } from '../shared/secagg/crypto.ts';
import type { Evidence } from '../shared/secagg/participant-state.ts';
import type { ChosenBackend } from '../shared/tensors/backend-kinds.ts';
import { loadedTensors } from '../shared/tensors/runtime.ts';
import type { Connection, ConnectionEvent, ConnectionHandlers } from './connection.ts';
import { startMaskedSession, type MaskedSession, type MaskingIdentity } from './masked-session.ts';
import { idle, participate, type Participation, type ParticipationEffect, type ParticipationEvent, type RoundNews } from './participation.ts';
import { checkBudget, checkPromise, checkShape, checkSignature, checkTask, refuseUnreadable } from './plan-checks.ts';
import type { RecordChecks } from './record-checks.ts';
import type { Timers } from './socket.ts';
import type { SpendLimits, SpendRecord } from './spends.ts';

export type ParticipantEvent =
  | ConnectionEvent
  | RoundNews
  /** What the report was computed with, where the model needs tensors. */
  | ({ readonly kind: 'computed'; readonly round: string } & ChosenBackend)
  /** The coordinator's signed word that it has the report: checked, and kept. */
  | { readonly kind: 'receipt'; readonly round: string; readonly receipt: SignedReceipt }
  /** The coordinator has the report, by its word, but there is nothing to show for it. */
  | { readonly kind: 'no-receipt'; readonly round: string; readonly code: ErrorCode; readonly message: string }
  /** The head of the record after a round could not be had, or does not follow from what was seen: then no plan will, either. */
  | { readonly kind: 'record-lost'; readonly round: string; readonly code: ErrorCode; readonly message: string }
  /** The coordinator signed two statements of which it may sign one: keep both, they convict it. */
  | { readonly kind: 'equivocation'; readonly round: string; readonly evidence: Evidence };

export interface ParticipantOptions {
  /** Takes part in rounds of these tasks only; without it, of all. */
  readonly tasks?: readonly string[];
  readonly connect: (handlers: ConnectionHandlers) => Connection;
  /** What the plan sums over the catalogue of the plan. Rejects with what to decline with. */
  readonly model: (plan: Plan) => Promise<AnyStatistic>;
  /** The participant's own limit, and what it has spent by its own record. */
  readonly budget?: SpendLimits & { readonly record: () => Awaitable<SpendRecord> };
  /** Asks for the plan in the public record of the coordinator. */
  readonly record?: RecordChecks;
  /** A further condition on a plan, by throwing. */
  readonly accept?: (plan: Plan) => void;
  /**
   * Makes the report of a round: clipped and noised, in mode `distributed` with a share for a roster of `participants`.
   * Called at most once for each noising of the data.
   */
  readonly statistic: (plan: Plan, planHash: string, terms: { readonly participants: number; readonly signal: AbortSignal }) => Promise<Noised>;
  /** Without it, plans of mode `distributed` are declined. */
  readonly masking?: MaskingIdentity;
  /** The platform's, if absent. */
  readonly timers?: Timers;
  /** Whose receipts these are, and where they are kept, durably; without it, none is. */
  readonly receipts?: Pick<ReceiptTerms, 'shop' | 'node'> & { readonly keep: (receipt: SignedReceipt) => Awaitable<void> };
  readonly onEvent: (event: ParticipantEvent) => void;
}

export interface Participant {
  /** Leaves the round that is open, if any, and ends the connection. */
  stop(): void;
}

interface Running {
  readonly options: ParticipantOptions;
  state: Participation;
  /** What is under way for the current round. */
  work: AbortController;
  session: MaskedSession | null;
  /** The plan checked last, if its model computes with tensors. */
  tensorPlan: string | null;
  /** Set before anything can be heard on it. */
  connection: Connection | null;
}

/**
 * @example
 * const participant = startParticipant({ connect: (handlers) => openConnection({ ...settings, ...handlers }),
 *   model, statistic, onEvent: console.log });
 */
export function startParticipant(options: ParticipantOptions): Participant {
  const running: Running = { options, state: idle, work: new AbortController(), session: null, tensorPlan: null, connection: null };
  running.connection = options.connect({ onEvent: (event) => hear(running, event), onMessage: (message) => dispatch(running, { kind: 'message', message }) });
  return {
    stop() {
      dispatch(running, { kind: 'stop' });
      running.connection?.close();
    },
  };
}

function dispatch(running: Running, event: ParticipationEvent): void {
  const [next, effects] = participate(running.state, event);
  running.state = next;
  for (const effect of effects) run(running, effect);
}

function run(running: Running, effect: ParticipationEffect): void {
  const { options, connection } = running;
  switch (effect.kind) {
    case 'check':
      return void check(running, effect, connection?.coordinatorKey ?? null).then((refusal) => dispatch(running, { kind: 'checked', planHash: effect.planHash, refusal }));
    case 'send':
      return void connection?.send(effect.message);
    case 'build':
      return build(running, effect.plan, effect.planHash);
    case 'mask':
      return mask(running, effect);
    case 'session-message':
      return running.session?.receive(effect.frame);
    case 'abandon':
      return abandon(running);
    case 'send-statistic':
      // A loss on the way shows as `down`; what is left to do then, the state knows.
      return void connection?.sendStatistic(effect.round, effect.statistic, running.work.signal);
    case 'keep-receipt':
      return keepReceipt(options, effect, connection?.coordinatorKey ?? '');
    case 'tell':
      // Before the owner hears, who may end everything at that.
      followRecord(running, effect.news);
      return options.onEvent(effect.news);
    default:
      return effect satisfies never;
  }
}

/** A round that this participant had a part in is over: from now on its record must go on from there. */
function followRecord({ options, connection }: Running, news: RoundNews): void {
  const key = connection?.coordinatorKey ?? null;
  if (news.kind !== 'round-done' || news.took !== 'part' || key === null) return;
  options.record?.follow(key).catch((thrown: unknown) => {
    const { code, message } = toCestaError(thrown);
    options.onEvent({ kind: 'record-lost', round: news.round, code, message });
  });
}

function abandon(running: Running): void {
  running.work.abort();
  running.work = new AbortController();
  running.session?.stop('the round is over for this participant');
  running.session = null;
}

function build(running: Running, plan: Plan, hash: string): void {
  const { signal } = running.work;
  running.options.statistic(plan, hash, { participants: 1, signal }).then(
    (statistic) => !signal.aborted && finish(running, plan, hash, withoutMask(statistic, plan)),
    (thrown: unknown) => !signal.aborted && dispatch(running, { kind: 'build-failed', planHash: hash, error: toCestaError(thrown) }),
  );
}

function finish(running: Running, { round }: Plan, hash: string, statistic: Masked): void {
  const runtime = running.tensorPlan === hash ? loadedTensors() : null;
  if (runtime !== null) {
    const { backend, simd, passedOver } = runtime;
    running.options.onEvent({ kind: 'computed', round, backend, simd, passedOver });
  }
  dispatch(running, { kind: 'built', planHash: hash, report: { statistic, sha256: digestOf(statistic), ...(runtime === null ? {} : { backend: runtime.backend }) } });
}

function mask(running: Running, { plan, planHash: hash, directory, deadlineMs }: Extract<ParticipationEffect, { kind: 'mask' }>): void {
  const { options, connection, work: { signal } } = running;
  const { round } = plan;
  try {
    if (options.masking === undefined) throw new CestaError('privacy.mode-unavailable', 'privacy.mode: expected none or local, since this participant cannot mask, got distributed');
    running.session = startMaskedSession({
      plan, deadlineMs,
      directory: new Map(directory),
      coordinatorKey: connection?.coordinatorKey ?? '',
      identity: options.masking,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      report: (participants) => options.statistic(plan, hash, { participants, signal }),
      send: (frame) => void connection?.send({ type: 'masked', round, frame: encodeBase64(frame) }),
      upload: (words) => finish(running, plan, hash, words as unknown as Masked),
      onEnd(error, evidence) {
        if (evidence !== null) options.onEvent({ kind: 'equivocation', round, evidence });
        if (!signal.aborted) dispatch(running, { kind: 'session-ended', planHash: hash, error });
      },
    });
  } catch (thrown) {
    dispatch(running, { kind: 'build-failed', planHash: hash, error: toCestaError(thrown) });
  }
}

function hear(running: Running, event: ConnectionEvent): void {
  running.options.onEvent(event);
  if (event.kind === 'up') dispatch(running, { kind: 'up' });
  if (event.kind === 'down') dispatch(running, { kind: 'down' });
  if (event.kind === 'over') abandon(running);
  if (event.kind === 'malformed') declineUnreadable(running, event.text);
}

function declineUnreadable({ connection, options }: Running, text: string): void {
  const refusal = refuseUnreadable(text);
  if (refusal === null) return;
  connection?.send({ type: 'decline', ...refusal });
  options.onEvent({ kind: 'declined', ...refusal });
}

type Invitation = Extract<ParticipationEffect, { kind: 'check' }>;

/** What to decline with, or null. The cheap checks come first; a model is only built for a plan that is genuine. */
async function check(running: Running, { plan, planHash: hash, signature, evidence }: Invitation, coordinatorKey: string | null): Promise<CestaError | null> {
  const { options } = running;
  try {
    checkTask(plan, options.tasks);
    await checkSignature(plan, signature, coordinatorKey);
    if (coordinatorKey !== null) await options.record?.check(plan, evidence, coordinatorKey);
    if (options.budget !== undefined) checkBudget(plan, await options.budget.record(), options.budget);
    checkPromise(plan);
    options.accept?.(plan);
    const statistic = await options.model(plan);
    checkShape(plan, statistic);
    if (statistic.prepare !== undefined) running.tensorPlan = hash;
    return null;
  } catch (thrown) {
    return toCestaError(thrown);
  }
}

function keepReceipt({ receipts, onEvent }: ParticipantOptions, { round, planHash, sha256, receipt }: Extract<ParticipationEffect, { kind: 'keep-receipt' }>, coordinatorKey: string): void {
  if (receipts === undefined) return;
  const kept = (): void => onEvent({ kind: 'receipt', round, receipt });
  const failed = (thrown: unknown): void => {
    const { code, message } = toCestaError(thrown);
    onEvent({ kind: 'no-receipt', round, code, message });
  };
  let keeping: Awaitable<void>;
  try {
    verifyReceipt(receipt, { round, planHash, sha256, shop: receipts.shop, node: receipts.node }, coordinatorKey);
    keeping = receipts.keep(receipt);
  } catch (thrown) {
    return failed(thrown);
  }
  if (keeping === undefined) return kept();
  void keeping.then(kept, failed);
}

function digestOf(statistic: Masked): string {
  return sha256Hex(new Uint8Array(statistic.buffer, statistic.byteOffset, statistic.byteLength));
}
