/**
 * The masked session of one round on the coordinator's side: the pure aggregator of `shared/secagg`, fed one event at
 * a time, with its deadlines and its messages. Vectors wait in staging areas until their turn, so that memory stays at
 * one sum and a few areas. Before anybody is asked to reveal anything, the charge is durable.
 */
import * as crypto from 'node:crypto';
import { decodeSum, type DecodedReports, type DecodedSum } from '../shared/federation/accumulator.ts';
import { maskedReportWords, maskedTerms, requireRosterFits } from '../shared/federation/masked-terms.ts';
import { componentNoise } from '../shared/federation/noise-shares.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { MaskingStage } from '../shared/federation/round.ts';
import { decodeBase64 } from '../shared/ledger/base64.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import { aggregatorStep, openAggregator } from '../shared/secagg/aggregator.ts';
import type { AggregatorContext, AggregatorEffect, AggregatorEvent, AggregatorState, Blame, PrivateSum } from '../shared/secagg/aggregator-state.ts';
import type { SecaggCrypto } from '../shared/secagg/crypto.ts';
import type { CoordinatorMessage } from '../shared/secagg/messages.ts';
import type { Directory } from '../shared/secagg/roster.ts';
import { nodeCrypto } from '../shared/secagg/node-crypto.ts';
import type { GroupTerms } from '../shared/secagg/terms.ts';
import { decodeFrame } from '../shared/secagg/wire.ts';
import type { Clock } from './clock.ts';
import { givingWay } from './giving-way.ts';
import { startTimer, type Meter } from './meter.ts';
import { createUploads, type Announcement, type StagingAreas, type Uploads } from './uploads.ts';

export interface MaskedRoundOptions {
  readonly plan: Plan;
  readonly key: SigningKey;
  /** Members of the session and their long-term keys. */
  readonly directory: Directory;
  /** Of a round in groups: whose session this is. */
  readonly group?: GroupTerms;
  readonly clock: Clock;
  readonly meter?: Meter;
  /** By default Node's, with pauses for others. */
  readonly crypto?: SecaggCrypto;
  readonly areas: StagingAreas;
  readonly stallMs: number;
  /** Time for each stage but that of the vectors, which has the plan's time for training. */
  readonly stageMs: number;
  readonly send: (participant: string, message: CoordinatorMessage) => void;
  readonly onGrant: (participant: string) => void;
  /** The vector of a participant, with this digest, is in the sum. */
  readonly onAccepted: (participant: string, sha256: string) => void;
  readonly onBlame: (blame: Blame) => void;
  /** Makes the charge durable and public: afterwards something may be revealed. Names the groups, where there are any. */
  readonly commit: (roster: readonly string[], groups?: readonly GroupMembers[]) => Promise<void>;
  readonly onStage: (stage: MaskingStage, answered: number) => void;
  readonly onSummed: (sum: Pick<PrivateSum, 'survivors' | 'excessNoise'>) => void;
  readonly onFailed: (code: ErrorCode, reason: string) => void;
}

export interface MaskedRound {
  start(): void;
  /** @throws CestaError `protocol.malformed` for what is no frame. */
  message(participant: string, frame: string): void;
  /** @throws CestaError like {@link Uploads.announce} */
  announce(participant: string, announcement: Announcement): void;
  /** @throws CestaError like {@link Uploads.take} */
  chunk(participant: string, offset: number, data: Int32Array): void;
  /** It will not come back to this session. */
  left(participant: string): void;
  /** @throws CestaError `internal` before the sum is there. */
  decode(): DecodedSum;
  /** Reports in the sum. */
  readonly participants: number;
  /** Where members were drawn into groups: those whose report is in the sum of theirs, by group. */
  readonly groups: readonly GroupMembers[] | null;
  close(): void;
}

/** Some members of a group. */
export interface GroupMembers {
  readonly group: number;
  readonly participants: readonly string[];
}

/** A session whose sum is all there is to decode. */
export interface MaskedSession extends MaskedRound {
  decode(): DecodedReports;
}

/** Messages of one member that may wait for their turn. */
const mostWaiting = 2;

type Job = AggregatorEvent | { readonly kind: 'vector'; readonly from: string } | { readonly kind: 'stage-over'; readonly stage: AggregatorState['kind'] };

interface Session {
  readonly options: MaskedRoundOptions;
  readonly context: AggregatorContext;
  readonly uploads: Uploads;
  readonly jobs: Job[];
  /** Members that left, and those that were named: told once. */
  readonly gone: Set<string>;
  readonly named: Set<string>;
  state: AggregatorState;
  result: PrivateSum | null;
  isBusy: boolean;
  isClosed: boolean;
  cancelTimer: () => void;
}

export function createMaskedRound(options: MaskedRoundOptions): MaskedSession {
  const { plan, key, directory, group, clock, areas, stallMs, crypto: primitives = givingWay(nodeCrypto(crypto)) } = options;
  requireRosterFits([...directory.keys()]);
  const terms = maskedTerms(plan, key.publicKey, group);
  const session: Session = {
    options,
    context: { terms, directory, identity: key, crypto: primitives, noiseOf: componentNoise(plan, primitives) },
    // Masked words are any words.
    uploads: createUploads({ clock, areas, stallMs, rules: { ...maskedReportWords(plan), bound: Infinity }, onGrant: options.onGrant, onStall: (participant, error) => accuse(session, participant, error) }),
    jobs: [], gone: new Set(), named: new Set(), state: openAggregator, result: null, isBusy: false, isClosed: false, cancelTimer: () => undefined,
  };
  return {
    start: () => enqueue(session, { kind: 'start', invited: [...directory.keys()] }),
    message(participant, frame) {
      requirePresent(session, participant);
      const bytes = decodeBase64(frame);
      if (bytes === null) throw new CestaError('protocol.malformed', 'masked: expected a frame in Base 64');
      // An honest member answers once a stage, and may leave: what floods would only wait here, in memory.
      const waiting = session.jobs.filter((job) => job.kind === 'message' && job.from === participant).length;
      if (waiting >= mostWaiting) throw new CestaError('protocol.out-of-order', `masked: expected at most ${mostWaiting} messages at a time, got more`);
      const message = decodeFrame(bytes);
      if (isAbort(message)) session.uploads.discard(participant);
      enqueue(session, { kind: 'message', from: participant, message });
    },
    announce(participant, announcement) {
      requirePresent(session, participant);
      if (session.state.kind !== 'masked' || !session.state.waiting.has(participant)) {
        // Being late is nobody's fault.
        throw new CestaError('round.not-member', `report: expected one of a member whose vector is awaited, got it in ${session.state.kind}`);
      }
      session.uploads.announce(participant, announcement);
    },
    chunk(participant, offset, data) {
      try {
        if (session.uploads.take(participant, offset, data) === 'complete') enqueue(session, { kind: 'vector', from: participant });
      } catch (error) {
        // The gateway answers for the frame; here its sender is out of the session.
        leave(session, participant);
        throw error;
      }
    },
    left: (participant) => leave(session, participant),
    decode: () => decodeSum(resultOf(session).sum, plan, resultOf(session).survivors.length),
    get participants() {
      return resultOf(session).survivors.length;
    },
    groups: null,
    close: () => close(session),
  };
}

function resultOf({ result }: Session): PrivateSum {
  if (result === null) throw new CestaError('internal', 'masked round: expected a sum, got none yet');
  return result;
}

function close(session: Session): void {
  session.isClosed = true;
  session.cancelTimer();
  session.uploads.close();
}

/** A fault that was found before the aggregator saw it. */
function accuse(session: Session, id: string, { code, message }: CestaError): void {
  session.options.onBlame({ id, stage: session.state.kind, code, message });
  leave(session, id);
}

/** Once for each member: strangers and those who are gone change nothing. */
function leave(session: Session, id: string): void {
  if (!session.options.directory.has(id) || session.gone.has(id)) return;
  session.gone.add(id);
  session.uploads.discard(id);
  enqueue(session, { kind: 'left', id });
}

function requirePresent({ options, gone, isClosed }: Session, id: string): void {
  if (isClosed || !options.directory.has(id) || gone.has(id)) throw new CestaError('round.not-member', 'masked: expected a member that is in the session still');
}

function isAbort(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'abort';
}

function enqueue(session: Session, job: Job): void {
  session.jobs.push(job);
  if (!session.isBusy) void work(session);
}

async function work(session: Session): Promise<void> {
  session.isBusy = true;
  for (let job = session.jobs.shift(); job !== undefined && !session.isClosed; job = session.jobs.shift()) {
    try {
      await step(session, job);
    } catch (error) {
      const { code, message } = toCestaError(error);
      close(session);
      session.options.onFailed(code, message);
    }
  }
  session.isBusy = false;
}

async function step(session: Session, job: Job): Promise<void> {
  const read = eventOf(session, job);
  if (read === null) return;
  const { event, sha256 } = read;
  const stop = startTimer(session.options, 'add');
  const [state, effects] = await aggregatorStep(session.context, session.state, event);
  if (job.kind === 'vector') stop();
  session.state = state;
  for (const effect of effects) if (!session.isClosed) await perform(session, effect);
  if (!('answers' in state)) return;
  if (sha256 !== null && job.kind === 'vector' && isInSum(state, job.from)) session.options.onAccepted(job.from, sha256);
  session.options.onStage(state.kind, state.answers.size);
}

function isInSum(state: AggregatorState, id: string): boolean {
  if (!('reported' in state)) return false;
  return state.reported.has(state.session.roster.entries.findIndex((entry) => entry.id === id));
}

/** `sha256`: of the vector, where there is one. */
function eventOf({ uploads, state }: Session, job: Job): { event: AggregatorEvent; sha256: string | null } | null {
  // The time of a stage that is over says nothing about the next.
  if (job.kind === 'stage-over') return job.stage === state.kind ? { event: { kind: 'deadline' }, sha256: null } : null;
  if (job.kind !== 'vector') return { event: job, sha256: null };
  // The area was freed when the time for vectors was up.
  if (state.kind !== 'masked') return null;
  let message: unknown = null;
  const sha256 = uploads.collect(job.from, (words) => {
    message = decodeOrNull(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  });
  return { event: { kind: 'message', from: job.from, message }, sha256 };
}

/** What is no frame is no message either: the aggregator names its sender. */
function decodeOrNull(frame: Uint8Array): unknown {
  try {
    return decodeFrame(frame);
  } catch {
    return null;
  }
}

async function perform(session: Session, effect: AggregatorEffect): Promise<void> {
  const { options } = session;
  switch (effect.kind) {
    case 'send':
      return options.send(effect.to, effect.message);
    case 'exclude':
      session.uploads.discard(effect.blame.id);
      session.named.add(effect.blame.id);
      return options.onBlame(effect.blame);
    case 'entered':
      if (effect.stage === 'unmask' && session.state.kind === 'unmask') await options.commit(session.state.session.roster.entries.map(({ id }) => id));
      if (effect.stage === 'confirm') session.uploads.close();
      if (!session.isClosed) arm(session, effect.stage);
      return;
    case 'done':
      session.result = effect.result;
      return options.onSummed(effect.result);
    case 'failed':
      close(session);
      for (const blame of effect.blamed) if (!session.named.has(blame.id)) options.onBlame(blame);
      return options.onFailed(effect.code, effect.message);
    default:
      return effect satisfies never;
  }
}

function arm(session: Session, stage: AggregatorState['kind']): void {
  const { clock, plan, stageMs } = session.options;
  session.cancelTimer();
  if (stage === 'done' || stage === 'failed') return;
  session.cancelTimer = clock.after(stage === 'masked' ? plan.deadlines.trainingMs : stageMs, () => enqueue(session, { kind: 'stage-over', stage }));
}
