/**
 * What a participant does about each message, as a pure state machine: `(state, event) -> [state, effects]`.
 * A round's report is made once and kept until the round is over: after a loss it is offered and sent again as the
 * same bytes, because noising the same data a second time would spend the budget a second time.
 */
import type { Masked } from '../shared/privacy/vectors.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import type { Evidence } from '../shared/ledger/evidence.ts';
import type { SignedReceipt } from '../shared/ledger/receipt.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import type { CestaError } from '../shared/protocol/errors.ts';
import type { ServerMessage } from '../shared/protocol/messages.ts';
import type { BackendKind } from '../shared/tensors/backend-kinds.ts';
import type { OutgoingMessage } from './sender.ts';

/** A statistic ready to be sent, noised and masked. */
export interface Report {
  readonly statistic: Masked;
  /** SHA-256 of its little-endian bytes. */
  readonly sha256: string;
  /** Of TensorFlow.js, where the model needs it. */
  readonly backend?: BackendKind;
}

/**
 * checking: is the plan acceptable · agreed: it is, but the connection is away · joined: waiting for training ·
 * training: building the report · offered: waiting for a place to send it · sending · accepted: waiting for the end ·
 * revealed: of a masked session, which this participant did its part in to the end.
 */
type Stage = 'checking' | 'agreed' | 'joined' | 'training' | 'offered' | 'sending' | 'accepted' | 'revealed';

export interface Membership {
  readonly plan: Plan;
  readonly planHash: string;
  readonly stage: Stage;
  /** The invitation was answered on this very connection, so that a second one crossed with the answer. */
  readonly hasAnswered: boolean;
  /** The report is being made, whatever the stage: a round may be opened again meanwhile. */
  readonly isBuilding: boolean;
  readonly report: Report | null;
  /** The coordinator acknowledged the report. */
  readonly hasReceipt: boolean;
}

export interface Participation {
  readonly membership: Membership | null;
  /** While the connection is away, nothing is offered. */
  readonly isUp: boolean;
}

export const idle: Participation = { membership: null, isUp: false };

export type ParticipationEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'message'; readonly message: ServerMessage }
  /** The plan was found acceptable (`null`) or not. */
  | { readonly kind: 'checked'; readonly planHash: string; readonly refusal: CestaError | null }
  | { readonly kind: 'built'; readonly planHash: string; readonly report: Report }
  | { readonly kind: 'build-failed'; readonly planHash: string; readonly error: CestaError }
  /** The masked session is over: done to its end (`null`), or aborted. */
  | { readonly kind: 'session-ended'; readonly planHash: string; readonly error: CestaError | null }
  | { readonly kind: 'stop' };

/** What the participant's owner hears. */
export type RoundNews =
  | { readonly kind: 'joined'; readonly plan: Plan }
  | { readonly kind: 'declined'; readonly round: string; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'training'; readonly plan: Plan; readonly deadlineMs: number }
  | { readonly kind: 'reported'; readonly round: string; readonly bytes: number }
  | { readonly kind: 'round-done'; readonly round: string; readonly version: number; readonly took: 'part' | 'no part' }
  | { readonly kind: 'round-failed'; readonly round: string; readonly code: ErrorCode; readonly message: string }
  /** The coordinator refused something of ours; `round` is the one we left for it, or null. */
  | { readonly kind: 'refused'; readonly round: string | null; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'task-over'; readonly code: ErrorCode | null; readonly message: string };

export type ParticipationEffect =
  | { readonly kind: 'check'; readonly plan: Plan; readonly planHash: string; readonly signature: string; readonly evidence: Evidence | null }
  | { readonly kind: 'send'; readonly message: OutgoingMessage }
  | { readonly kind: 'build'; readonly plan: Plan; readonly planHash: string }
  /** Take part in a masked session; its vector comes back as `built`. */
  | { readonly kind: 'mask'; readonly plan: Plan; readonly planHash: string; readonly directory: DirectoryList; readonly deadlineMs: number }
  | { readonly kind: 'session-message'; readonly frame: string }
  /** Stop whatever is under way for a round that is over for us. */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'send-statistic'; readonly round: string; readonly statistic: Masked }
  /** Check and keep the acknowledgement of the report with this digest. */
  | { readonly kind: 'keep-receipt'; readonly round: string; readonly planHash: string; readonly sha256: string; readonly receipt: SignedReceipt }
  | { readonly kind: 'tell'; readonly news: RoundNews };

type DirectoryList = NonNullable<Extract<ServerMessage, { type: 'train' }>['directory']>;

type Step = readonly [Participation, readonly ParticipationEffect[]];

/** Answers of the coordinator after which this round goes on without us. */
const leavesRound: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'round.not-member', 'round.failed', 'secagg.invalid', 'secagg.equivocation', 'secagg.too-few', 'update.wrong-round', 'update.wrong-length', 'update.out-of-range', 'update.corrupt', 'protocol.replayed', 'protocol.malformed', 'protocol.too-large',
]);

export function participate(state: Participation, event: ParticipationEvent): Step {
  const { membership } = state;
  switch (event.kind) {
    case 'up':
      return whenUp({ ...state, isUp: true });
    case 'down':
      return whenDown({ ...state, isUp: false });
    case 'message':
      return hear(state, event.message);
    case 'checked':
      if (membership?.stage !== 'checking' || membership.planHash !== event.planHash) return [state, []];
      return event.refusal === null ? join(state, membership) : decline(state, membership, event.refusal);
    case 'built':
      return membership?.isBuilding === true && membership.planHash === event.planHash ? built(state, membership, event.report) : [state, []];
    case 'build-failed':
      return membership?.isBuilding === true && membership.planHash === event.planHash ? decline(state, membership, event.error, noReport) : [state, []];
    case 'session-ended':
      return membership?.planHash === event.planHash ? endSession(state, membership, event.error) : [state, []];
    case 'stop':
      return stop(state);
    default:
      return event satisfies never;
  }
}

function hear(state: Participation, message: ServerMessage): Step {
  const { membership } = state;
  switch (message.type) {
    case 'invite':
      return consider(state, message.plan, message.signature, message.evidence ?? null);
    case 'train':
      return train(state, message);
    case 'masked':
      return message.round === membership?.plan.round ? [state, [{ kind: 'session-message', frame: message.frame }]] : [state, []];
    case 'upload':
      return upload(state, message.round);
    case 'accepted':
      return accepted(state, message.round, message.receipt);
    case 'round-done':
      return finish(state, message.round, { kind: 'round-done', round: message.round, version: message.version, took: tookPart(membership, message.round) ? 'part' : 'no part' });
    case 'round-failed':
      return finish(state, message.round, { kind: 'round-failed', round: message.round, code: message.code, message: message.message });
    case 'task-over':
      return [{ ...state, membership: null }, [{ kind: 'abandon' }, tell({ kind: 'task-over', code: message.code, message: message.message })]];
    case 'error':
      return refused(state, message.code, message.message);
    case 'challenge':
    case 'welcome':
    case 'ready':
      // The connection shakes hands; after that these say nothing.
      return [state, []];
    default:
      return message satisfies never;
  }
}

function consider(state: Participation, plan: Plan, signature: string, evidence: Evidence | null): Step {
  const hash = planHash(plan);
  const { membership } = state;
  if (membership?.planHash === hash) {
    if (membership.stage === 'checking' || membership.hasAnswered) return [state, []];
    // Our answer was lost, or the round is opened again: the plan has been checked, and a report made for it stands.
    return [{ ...state, membership: { ...membership, stage: 'joined', hasAnswered: true, hasReceipt: false } }, [send({ type: 'join', round: plan.round, planHash: hash })]];
  }
  const next: Membership = { plan, planHash: hash, stage: 'checking', hasAnswered: false, isBuilding: false, report: null, hasReceipt: false };
  const left: ParticipationEffect[] = membership === null ? [] : [{ kind: 'abandon' }, ...farewell(membership)];
  return [{ ...state, membership: next }, [...left, { kind: 'check', plan, planHash: hash, signature, evidence }]];
}

/** The coordinator of a buffered task may still wait for the report to an older plan. */
function farewell(membership: Membership): ParticipationEffect[] {
  const { plan: { aggregation, round } } = membership;
  return aggregation === undefined || isReported(membership) ? [] : [send({ type: 'leave', round })];
}

function join(state: Participation, membership: Membership): Step {
  const { plan } = membership;
  // The coordinator asks again whom it has not heard, so nothing is lost by waiting for that.
  if (!state.isUp) return [{ ...state, membership: { ...membership, stage: 'agreed' } }, [tell({ kind: 'joined', plan })]];
  return [{ ...state, membership: { ...membership, stage: 'joined', hasAnswered: true } }, [send({ type: 'join', round: plan.round, planHash: membership.planHash }), tell({ kind: 'joined', plan })]];
}

/** Once data was looked at, what went wrong may tell about it, or about the machine: the owner hears, the coordinator does not. */
const noReport = 'no report could be made; its owner knows why';

/** @param said to the coordinator, where that is not the error's own message */
function decline(state: Participation, { plan: { round } }: Membership, { code, message }: CestaError, said = message): Step {
  return [{ ...state, membership: null }, [send({ type: 'decline', round, code, message: said.slice(0, 1024) }), tell({ kind: 'declined', round, code, message })]];
}

function train(state: Participation, { round, deadlineMs, directory }: Extract<ServerMessage, { type: 'train' }>): Step {
  const { membership } = state;
  // Membership was lost with an earlier process: leaving at once spares the others the wait for our report.
  if (membership === null || membership.plan.round !== round) return [state, [send({ type: 'leave', round })]];
  if (membership.stage !== 'joined') return [state, []];
  if (membership.report !== null) return offer(state, membership);
  const { plan, planHash: hash, isBuilding } = membership;
  const training: Participation = { ...state, membership: { ...membership, stage: 'training', isBuilding: true } };
  if (isBuilding) return [training, []];
  const work: ParticipationEffect = plan.privacy.mode === 'distributed' ? { kind: 'mask', plan, planHash: hash, directory: directory ?? [], deadlineMs } : { kind: 'build', plan, planHash: hash };
  return [training, [tell({ kind: 'training', plan, deadlineMs }), work]];
}

/** After an abort the round goes on without us, and the coordinator has heard so. */
function endSession(state: Participation, membership: Membership, error: CestaError | null): Step {
  if (error === null) return [{ ...state, membership: { ...membership, stage: 'revealed' } }, []];
  return [{ ...state, membership: null }, [{ kind: 'abandon' }, send({ type: 'leave', round: membership.plan.round }), tell({ kind: 'declined', round: membership.plan.round, code: error.code, message: error.message })]];
}

/** A masked session that lost its connection cannot go on: what the coordinator said meanwhile is lost. */
function isMidSession({ plan, stage }: Membership): boolean {
  return plan.privacy.mode === 'distributed' && ['training', 'offered', 'sending', 'accepted'].includes(stage);
}

function built(state: Participation, membership: Membership, report: Report): Step {
  const finished: Membership = { ...membership, isBuilding: false, report };
  return finished.stage === 'training' ? offer(state, finished) : [{ ...state, membership: finished }, []];
}

/** Announces the report, now or when the connection is back. */
function offer(state: Participation, membership: Membership): Step {
  const { plan, planHash: hash, report } = membership;
  if (report === null) return [state, []];
  const next: Participation = { ...state, membership: { ...membership, stage: 'offered' } };
  if (!state.isUp) return [next, []];
  return [next, [send({ type: 'report', round: plan.round, planHash: hash, length: report.statistic.length, sha256: report.sha256, ...(report.backend === undefined ? {} : { backend: report.backend }) })]];
}

function upload(state: Participation, round: string): Step {
  const { membership } = state;
  if (membership === null || membership.report === null || membership.plan.round !== round || membership.stage !== 'offered') return [state, []];
  const { statistic } = membership.report;
  return [{ ...state, membership: { ...membership, stage: 'sending' } }, [{ kind: 'send-statistic', round, statistic }]];
}

function accepted(state: Participation, round: string, receipt: SignedReceipt): Step {
  const { membership } = state;
  if (membership === null || membership.report === null || membership.plan.round !== round || membership.hasReceipt) return [state, []];
  const { planHash: hash, report: { statistic, sha256 } } = membership;
  // A masked session does not wait for the disk of the coordinator: it may be over before the receipt is there.
  const stage = membership.stage === 'revealed' ? 'revealed' : 'accepted';
  return [{ ...state, membership: { ...membership, stage, hasReceipt: true } }, [{ kind: 'keep-receipt', round, planHash: hash, sha256, receipt }, tell({ kind: 'reported', round, bytes: statistic.byteLength })]];
}

function whenUp(state: Participation): Step {
  return state.membership?.stage === 'offered' ? offer(state, state.membership) : [state, []];
}

function whenDown(state: Participation): Step {
  const { membership } = state;
  if (membership === null) return [state, []];
  if (isMidSession(membership)) {
    const { round } = membership.plan;
    return [{ ...state, membership: null }, [{ kind: 'abandon' }, tell({ kind: 'declined', round, code: 'secagg.aborted', message: 'connection: expected it to last through the masked session, and it was lost' })]];
  }
  return [{ ...state, membership: { ...membership, hasAnswered: false, stage: membership.stage === 'sending' ? 'offered' : membership.stage } }, []];
}

function finish(state: Participation, round: string, news: RoundNews): Step {
  if (state.membership?.plan.round !== round) return [state, [tell(news)]];
  return [{ ...state, membership: null }, [{ kind: 'abandon' }, tell(news)]];
}

function tookPart(membership: Membership | null, round: string): boolean {
  return membership?.plan.round === round && isReported(membership);
}

function isReported({ stage }: Membership): boolean {
  return stage === 'accepted' || stage === 'revealed';
}

function refused(state: Participation, code: ErrorCode, message: string): Step {
  const { membership } = state;
  const isHeld = membership !== null && isReported(membership) && !code.startsWith('secagg.');
  // Nothing was said for a plan that is being checked: a refusal that crossed its invitation is about an earlier round, of any task.
  const isSilent = membership?.stage === 'checking' || membership?.stage === 'agreed';
  if (membership === null || isHeld || isSilent || !leavesRound.has(code)) {
    // `protocol.out-of-order` may answer a report offered again whose acceptance was lost on the way: it stands.
    return [state, [tell({ kind: 'refused', round: null, code, message })]];
  }
  return [{ ...state, membership: null }, [{ kind: 'abandon' }, tell({ kind: 'refused', round: membership.plan.round, code, message })]];
}

function stop(state: Participation): Step {
  const { membership } = state;
  if (membership === null || (isReported(membership) && !isMidSession(membership))) return [{ ...state, membership: null }, [{ kind: 'abandon' }]];
  return [{ ...state, membership: null }, [{ kind: 'abandon' }, send({ type: 'leave', round: membership.plan.round })]];
}

function send(message: OutgoingMessage): ParticipationEffect {
  return { kind: 'send', message };
}

function tell(news: RoundNews): ParticipationEffect {
  return { kind: 'tell', news };
}
