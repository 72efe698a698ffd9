/**
 * The shell around the pure round: keeps its state, arms its one timer and carries out its effects, one after the
 * other. Journal before action: the charge is durable and in the public record before the first `train` is sent, the
 * release before it is announced.
 */
import type { Logger } from 'pino';
import { journalledEvents } from '../shared/federation/budget-report.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { combineParts, describeStaleness } from '../shared/federation/staleness.ts';
import { advance, nextDeadline, type Round, type RoundEffect, type RoundEvent, type Step } from '../shared/federation/round.ts';
import type { PrivacyEvent } from '../shared/privacy/accounting/events.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { ServerMessage } from '../shared/protocol/messages.ts';
import type { SecaggCrypto } from '../shared/secagg/crypto.ts';
import { countBackends, type BackendKind } from '../shared/tensors/backend-kinds.ts';
import type { Aggregation } from './aggregation.ts';
import type { Clock } from './clock.ts';
import { publicMessage } from './disclosure.ts';
import type { Gateway } from './gateway.ts';
import { startTimer, type Meter } from './meter.ts';
import { openMasked, tellToMask } from './masked-opening.ts';
import type { GroupMembers, MaskedRound } from './masked-round.ts';
import type { RoundLedger } from './ledger/round-ledger.ts';
import { createReceipts, type Receipts } from './receipts.ts';
import type { Sum } from './releases.ts';
import { directoryOf, invite, keysOfGroups, rosterOf, train } from './round-members.ts';
import type { Storage } from './storage/storage.ts';
import type { Stragglers } from './stragglers.ts';
import type { StagingAreas } from './uploads.ts';

/** The release that a round made, or was about. */
export interface Conclusion {
  readonly version: number;
  readonly sha256: string;
}

export interface RoundContext {
  readonly storage: Pick<Storage, 'startTraining' | 'recordParticipants' | 'failRound' | 'spends' | 'nodes'>;
  /** Makes of the sum what the round is for: a release, or a decision about one. */
  readonly conclude: (sum: Sum) => Promise<Conclusion>;
  /** What outlives the rounds of a buffered task. */
  readonly stragglers: Stragglers;
  readonly gateway: Pick<Gateway, 'send' | 'refuse'>;
  /** What the round says in the public record. */
  readonly ledger: RoundLedger;
  readonly areas: StagingAreas;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An upload must advance by a full chunk within this time. */
  readonly stallMs: number;
  /** Time for each stage of a masked session but that of the vectors. */
  readonly stageMs: number;
  /** Primitives of masked sessions; by default Node's, with pauses for others. */
  readonly crypto?: SecaggCrypto;
  /** How long an acknowledgement may wait for others that become durable with it. */
  readonly acknowledgeMs: number;
  readonly meter?: Meter;
  /** Hears the state after every event. */
  readonly onProgress: (round: Round) => void;
}

export type News = Extract<ServerMessage, { type: 'round-done' | 'round-failed' }>;

/** How a round ended, and what everybody who was invited is told, but for stragglers. */
export interface RoundOutcome {
  readonly round: Round;
  readonly news: News;
  readonly invited: ReadonlySet<string>;
  /** Members that provably broke a masked session. */
  readonly faulty: ReadonlySet<string>;
}

export interface Runner {
  readonly context: RoundContext;
  readonly plan: Plan;
  readonly planHash: string;
  readonly invited: ReadonlySet<string>;
  readonly invitation: ServerMessage;
  /** What collects the reports: in the clear, or masked once the members are known. */
  readonly aggregation: Aggregation | null;
  masked: MaskedRound | null;
  readonly faulty: Set<string>;
  /** Members and their long-term keys, once the round trains or masks. */
  directory: ReadonlyMap<string, string>;
  readonly receipts: Receipts;
  /** What members say that they computed their report with. */
  readonly backends: Map<string, BackendKind>;
  readonly end: (outcome: RoundOutcome) => void;
  round: Round;
  /** The charge is durable and members were told to train. */
  isTraining: boolean;
  /** Address of the release that the sum made or was about, once that is known. */
  releaseSha256: string;
  readonly effects: RoundEffect[];
  isBusy: boolean;
  cancelTimer: () => void;
}

export function dispatch(runner: Runner, event: RoundEvent): void {
  apply(runner, advance(runner.round, event));
}

export function apply(runner: Runner, [round, effects]: Step): void {
  const { clock, onProgress } = runner.context;
  if (round.phase === 'releasing' && runner.round.phase === 'training') leaveStragglers(runner, round.stragglers);
  runner.round = round;
  runner.effects.push(...effects);
  runner.cancelTimer();
  const deadline = nextDeadline(round);
  if (deadline !== null) runner.cancelTimer = clock.after(deadline - clock.now(), () => dispatch(runner, { kind: 'tick', now: clock.now() }));
  onProgress(round);
  if (!runner.isBusy) void carryOut(runner);
}

/** At once: the next piece of a report may arrive before the release is begun. */
function leaveStragglers({ context, plan, aggregation, receipts }: Runner, members: readonly string[]): void {
  if (plan.aggregation !== undefined && aggregation !== null) context.stragglers.adopt({ plan, aggregation, receipts }, members);
}

/** Strictly in order: no member trains before the charge is durable, no sum is decoded before its last update. */
async function carryOut(runner: Runner): Promise<void> {
  runner.isBusy = true;
  for (let effect = runner.effects.shift(); effect !== undefined; effect = runner.effects.shift()) {
    try {
      await perform(runner, effect);
    } catch (error) {
      const { code, message } = toCestaError(error);
      runner.context.logger.error({ err: error, round: runner.plan.round, effect: effect.kind }, 'round aborted');
      dispatch(runner, { kind: 'abort', code, reason: message });
    }
  }
  runner.isBusy = false;
}

function perform(runner: Runner, effect: RoundEffect): void | Promise<void> {
  const { context, plan } = runner;
  switch (effect.kind) {
    case 'invite':
      for (const participant of effect.participants) invite(runner, participant);
      return;
    case 'start-training':
      return startTraining(runner, effect.participants, effect.deadline);
    case 'resume':
      return train(runner, effect.participant, effect.deadline);
    case 'start-masking':
      return startMasking(runner, effect.participants);
    case 'accumulate':
      return accumulate(runner, effect.participant);
    case 'refuse':
      return context.gateway.refuse(effect.participant, new CestaError(effect.code, effect.message));
    case 'release':
      return release(runner, effect.reported);
    case 'announce-done':
      return finish(runner, { type: 'round-done', round: plan.round, version: effect.version, sha256: runner.releaseSha256 });
    case 'announce-failed':
      return announceFailure(runner, effect);
    default:
      return effect satisfies never;
  }
}

/** Nobody waits for the receipt but the release. */
function accumulate({ context, aggregation, receipts }: Runner, participant: string): void {
  if (aggregation === null) return;
  const stop = startTimer(context, 'add');
  const sha256 = aggregation.accumulate(participant);
  stop();
  receipts.report(participant, sha256);
}

/** The receipts of a round; a disk that does not take them ends it. */
export function receiptsOf(runner: () => Runner, { storage, key, clock, gateway, acknowledgeMs: gatherMs }: RoundContext, round: string, planHash: string): Receipts {
  return createReceipts({
    round, planHash, storage, key, clock, gatherMs,
    nodeOf: (participant) => runner().directory.get(participant),
    onDurable: (participant, receipt) => void gateway.send(participant, { type: 'accepted', round, receipt }),
    onFailed: ({ code, message }) => dispatch(runner(), { kind: 'abort', code, reason: message }),
  });
}

async function startTraining(runner: Runner, participants: readonly string[], deadline: number): Promise<void> {
  const { storage } = runner.context;
  runner.directory = await directoryOf(storage, participants);
  await charge(runner, participants);
  // The round may have been stopped while the disk was at work: nobody is told to train for nothing.
  if (runner.round.phase !== 'training') return;
  runner.isTraining = true;
  for (const participant of participants) train(runner, participant, deadline);
}

/** In journal and public record at once: from here on the round costs its share, whatever becomes of it. */
async function charge(runner: Runner, participants: readonly string[], groups: readonly GroupMembers[] | null = null): Promise<void> {
  const { context: { storage, ledger }, plan } = runner;
  const roster = rosterOf(runner, participants);
  await ledger.training(roster.map(({ node }) => node), (log) => storage.startTraining(plan.round, roster, log), keysOfGroups(runner, groups));
}

function reportsOf({ aggregation, masked, plan }: Runner): Aggregation | MaskedRound {
  const reports = masked ?? aggregation;
  if (reports === null) throw new CestaError('internal', `round ${plan.round}: expected reports to release, got none`);
  return reports;
}

/** Mode `distributed`: the charge follows when something is about to be revealed; until then the round can fail for free. */
async function startMasking(runner: Runner, participants: readonly string[]): Promise<void> {
  runner.directory = await directoryOf(runner.context.storage, participants);
  // The round may have been stopped while the disk was at work.
  if (runner.round.phase !== 'masking') return;
  runner.masked = openMasked(runner, { dispatch: (event) => dispatch(runner, event), charge: (roster, groups) => charge(runner, roster, groups) });
  tellToMask(runner);
  runner.masked.start();
}

/** The sum to be released: of this round's reports alone, or of everything in the buffer. */
function sumOf(runner: Runner): Pick<Sum, 'aggregate' | 'participants' | 'staleness'> {
  const { context, plan } = runner;
  if (plan.aggregation === undefined) {
    const reports = reportsOf(runner);
    const aggregate = reports.decode();
    const leftOut = aggregate.robust?.leftOut.map((row) => runner.aggregation?.reporters[row]) ?? [];
    // For the operator alone: a shop that is unlike the others is left out like one that lies.
    if (leftOut.length > 0) context.logger.info({ round: plan.round, rule: plan.robust?.rule, participants: leftOut }, 'reports left out by the robust rule');
    return { aggregate, participants: reports.participants };
  }
  const parts = context.stragglers.take();
  return { aggregate: combineParts(parts), participants: parts.reduce((sum, { participants }) => sum + participants, 0), staleness: describeStaleness(parts) };
}

async function release(runner: Runner, reported: readonly string[]): Promise<void> {
  const { context, plan, receipts } = runner;
  // Uploads beyond the target: their chunks would only take memory and time from here on.
  if (plan.aggregation === undefined) reportsOf(runner).close();
  // An evaluation has nothing of what is in the buffer.
  const failure = (await receipts.settled()) ?? (plan.aggregation === undefined ? null : await context.stragglers.settled());
  if (failure !== null) throw failure;
  const charged = await chargedEvents(runner);
  const stop = startTimer(context, 'decode');
  const sum = sumOf(runner);
  stop();
  const { version, sha256 } = await context.conclude({ plan, charged, survivors: rosterOf(runner, reported).map(({ node }) => node), groups: keysOfGroups(runner, runner.masked?.groups ?? null), trainedOn: countBackends(reported.map((participant) => runner.backends.get(participant))), ...sum });
  runner.releaseSha256 = sha256;
  dispatch(runner, { kind: 'released', version });
}

/** Everything that the task's budget is charged with: nothing where nothing is promised. */
async function chargedEvents({ context: { storage }, plan }: Runner): Promise<PrivacyEvent[]> {
  if (plan.privacy.mode === 'none') return [];
  const spends = await storage.spends(plan.task);
  return spends.filter(({ state }) => state !== 'abandoned').flatMap(({ round, event }) => journalledEvents(round, event));
}

async function announceFailure(runner: Runner, { code, reason }: Extract<RoundEffect, { kind: 'announce-failed' }>): Promise<void> {
  const { context, plan } = runner;
  runner.aggregation?.close();
  runner.masked?.close();
  // Whoever is acknowledged hears of that before it hears of the end.
  await runner.receipts.settled();
  try {
    await context.storage.failRound(plan.round, { code, message: reason });
  } catch (error) {
    // The journal still shows the round as open; the next start closes it there.
    context.logger.error({ err: error, round: plan.round }, 'failure of a round could not be recorded');
  }
  finish(runner, { type: 'round-failed', round: plan.round, code, message: publicMessage({ code, message: reason }) });
}

function settleStragglers({ stragglers }: RoundContext, news: News): void {
  if (news.type === 'round-done') stragglers.released(news);
  else stragglers.failed(news);
}

function finish(runner: Runner, news: News): void {
  const { context, round, invited, faulty } = runner;
  runner.cancelTimer();
  // Stragglers go on; they hear of the release that their report is in.
  const late = new Set(round.phase === 'done' ? round.stragglers : []);
  const told = new Set([...invited].filter((participant) => !late.has(participant)));
  for (const participant of told) context.gateway.send(participant, news);
  // An evaluation is nothing to those that are slow in training.
  if (runner.plan.aggregation !== undefined) settleStragglers(context, news);
  runner.end({ round, news, invited: told, faulty });
}
