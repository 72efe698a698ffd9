/**
 * The shell around the pure round: keeps its state, arms its one timer and carries out its effects, one after the
 * other. Journal before action: the charge is durable and in the public record before the first `train` is sent, the
 * release before it is announced.
 */
import type { Logger } from 'pino';
import { journalledEvents } from '../shared/federation/budget-report.ts';
import { planStatement, type Plan } from '../shared/federation/plan.ts';
import { advance, nextDeadline, type Round, type RoundEffect, type RoundEvent, type Step } from '../shared/federation/round.ts';
import { encodeBase64 } from '../shared/ledger/base64.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import { bytesToHex } from '../shared/protocol/digest.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { ServerMessage } from '../shared/protocol/messages.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { Blame } from '../shared/secagg/aggregator-state.ts';
import { encodeMessage } from '../shared/secagg/wire.ts';
import type { Aggregation } from './aggregation.ts';
import type { Clock } from './clock.ts';
import { publicMessage } from './disclosure.ts';
import type { Gateway } from './gateway.ts';
import { startTimer, type Meter } from './meter.ts';
import { createMaskedRound, type MaskedRound } from './masked-round.ts';
import type { RoundLedger } from './ledger/round-ledger.ts';
import type { Releases } from './releases.ts';
import type { Storage } from './storage/storage.ts';
import type { StagingAreas } from './uploads.ts';

export interface RoundContext {
  readonly storage: Pick<Storage, 'startTraining' | 'failRound' | 'spends' | 'nodes'>;
  readonly releases: Pick<Releases, 'publish'>;
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
  readonly meter?: Meter;
  /** Hears the state after every event. */
  readonly onProgress: (round: Round) => void;
}

/** How a round ended, and what everybody who was invited is told. */
export interface RoundOutcome {
  readonly round: Round;
  readonly news: ServerMessage;
  readonly invited: ReadonlySet<string>;
  /** Members that provably broke a masked session. */
  readonly faulty: ReadonlySet<string>;
}

export interface Runner {
  readonly context: RoundContext;
  readonly model: AnyFederatedModel;
  readonly plan: Plan;
  readonly planHash: string;
  readonly invited: ReadonlySet<string>;
  /** What collects the reports: in the clear, or masked once the members are known. */
  readonly aggregation: Aggregation | null;
  masked: MaskedRound | null;
  readonly faulty: Set<string>;
  readonly end: (outcome: RoundOutcome) => void;
  round: Round;
  /** The charge is durable and members were told to train. */
  isTraining: boolean;
  /** Address of the release, once there is one. */
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
  runner.round = round;
  runner.effects.push(...effects);
  runner.cancelTimer();
  const deadline = nextDeadline(round);
  if (deadline !== null) runner.cancelTimer = clock.after(deadline - clock.now(), () => dispatch(runner, { kind: 'tick', now: clock.now() }));
  onProgress(round);
  if (!runner.isBusy) void carryOut(runner);
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

function accumulate(runner: Runner, participant: string): void {
  const stop = startTimer(runner.context, 'add');
  runner.aggregation?.accumulate(participant);
  stop();
  accept(runner, participant);
}

export function invite({ context, plan, planHash }: Runner, participant: string): void {
  context.gateway.send(participant, { type: 'invite', plan, signature: context.key.sign(planStatement(planHash)), evidence: context.ledger.evidence });
}

/** The deadline travels as time left: clocks of different machines do not agree. */
export function train({ context, plan }: Runner, participant: string, deadline: number): void {
  context.gateway.send(participant, { type: 'train', round: plan.round, deadlineMs: Math.max(0, Math.round(deadline - context.clock.now())) });
}

export function accept({ context, plan }: Runner, participant: string): void {
  context.gateway.send(participant, { type: 'accepted', round: plan.round });
}

async function startTraining(runner: Runner, participants: readonly string[], deadline: number): Promise<void> {
  await runner.context.storage.startTraining(runner.plan.round, participants.length);
  await runner.context.ledger.training(participants);
  // The round may have been stopped while the disk was at work: nobody is told to train for nothing.
  if (runner.round.phase !== 'training') return;
  runner.isTraining = true;
  for (const participant of participants) train(runner, participant, deadline);
}

function reportsOf({ aggregation, masked, plan }: Runner): Aggregation | MaskedRound {
  const reports = masked ?? aggregation;
  if (reports === null) throw new CestaError('internal', `round ${plan.round}: expected reports to release, got none`);
  return reports;
}

/** Mode `distributed`: the charge follows when something is about to be revealed; until then the round can fail for free. */
async function startMasking(runner: Runner, participants: readonly string[]): Promise<void> {
  const { context, plan } = runner;
  const { key, clock, areas, stallMs, stageMs, gateway, ledger, storage } = context;
  const directory = await directoryOf(storage, participants);
  // The round may have been stopped while the disk was at work.
  if (runner.round.phase !== 'masking') return;
  runner.masked = createMaskedRound({
    plan, key, directory, clock, areas, stallMs, stageMs, ...(context.meter === undefined ? {} : { meter: context.meter }),
    send: (participant, message) => void gateway.send(participant, { type: 'masked', round: plan.round, frame: encodeBase64(encodeMessage(message)) }),
    onGrant: (participant) => void gateway.send(participant, { type: 'upload', round: plan.round }),
    onAccepted: (participant) => accept(runner, participant),
    onBlame: (blame) => accuse(runner, directory, blame),
    async commit(roster) {
      await storage.startTraining(plan.round, roster.length);
      await ledger.training(roster);
    },
    onStage: (stage, answered) => dispatch(runner, { kind: 'masking', stage, answered }),
    onSummed({ survivors, excessNoise }) {
      // Harmless, but the release is a little noisier than it says.
      if (excessNoise.length > 0) context.logger.warn({ round: plan.round, participants: excessNoise }, 'noise stays in the sum that could have been removed');
      dispatch(runner, { kind: 'summed', reported: survivors });
    },
    onFailed: (code, reason) => dispatch(runner, { kind: 'abort', code, reason }),
  });
  const deadlineMs = plan.deadlines.trainingMs + maskingStages * stageMs;
  for (const participant of directory.keys()) gateway.send(participant, { type: 'train', round: plan.round, deadlineMs, directory: [...directory] });
  runner.masked.start();
}

/** Stages of a masked session beside that of the vectors. */
const maskingStages = 5;

/** Long-term keys by participant: the names of shops are compared without case. */
async function directoryOf(storage: Pick<Storage, 'nodes'>, participants: readonly string[]): Promise<Map<string, string>> {
  const wanted = new Set(participants);
  return new Map((await storage.nodes()).map(({ name, publicKey }): [string, string] => [name.toLowerCase(), publicKey]).filter(([name]) => wanted.has(name)));
}

function accuse({ context, plan, faulty }: Runner, directory: ReadonlyMap<string, string>, { id, stage, code, message, evidence }: Blame): void {
  const { gateway, ledger, logger } = context;
  logger.warn({ participant: id, round: plan.round, stage, code, reason: message }, 'participant excluded');
  gateway.refuse(id, new CestaError(code, message));
  if (code === 'secagg.invalid' || code === 'secagg.equivocation') faulty.add(id);
  const node = directory.get(id);
  // Keys may be signed twice in good faith, by a shop that started again.
  if (evidence === undefined || node === undefined || stage === 'keys') return;
  const [first, second] = [evidence.first, evidence.second].map(({ statement, signature }) => ({ statement, signature: bytesToHex(signature) }));
  ledger.equivocation(node, first, second).catch((error: unknown) => logger.error({ err: error, participant: id }, 'an equivocation could not be recorded'));
}

async function release(runner: Runner, reported: readonly string[]): Promise<void> {
  const { context, model, plan } = runner;
  const reports = reportsOf(runner);
  // Uploads beyond the target: their chunks would only take memory and time from here on.
  reports.close();
  await context.ledger.survivors(reported);
  const spends = await context.storage.spends(plan.task);
  const charged = spends.filter(({ state }) => state !== 'abandoned').flatMap(({ round, event }) => journalledEvents(round, event));
  const stop = startTimer(context, 'decode');
  const aggregate = reports.decode();
  stop();
  const published = await context.releases.publish(model, { plan, charged, aggregate, participants: reports.participants }, ({ manifest, sha256 }) =>
    context.ledger.released({ version: manifest.version, sha256 }));
  runner.releaseSha256 = published.sha256;
  dispatch(runner, { kind: 'released', version: published.manifest.version });
}

async function announceFailure(runner: Runner, { code, reason }: Extract<RoundEffect, { kind: 'announce-failed' }>): Promise<void> {
  const { context, plan } = runner;
  runner.aggregation?.close();
  runner.masked?.close();
  try {
    await context.storage.failRound(plan.round, { code, message: reason });
  } catch (error) {
    // The journal still shows the round as open; the next start closes it there.
    context.logger.error({ err: error, round: plan.round }, 'failure of a round could not be recorded');
  }
  finish(runner, { type: 'round-failed', round: plan.round, code, message: publicMessage({ code, message: reason }) });
}

function finish(runner: Runner, news: ServerMessage): void {
  runner.cancelTimer();
  for (const participant of runner.invited) runner.context.gateway.send(participant, news);
  runner.end({ round: runner.round, news, invited: runner.invited, faulty: runner.faulty });
}
