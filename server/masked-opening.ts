/** The masked session of a round, or those of its groups, joined to the members' connections. */
import type { RoundEvent } from '../shared/federation/round.ts';
import { sessionsOf } from '../shared/federation/session-cohort.ts';
import { encodeBase64 } from '../shared/ledger/base64.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { maxFrameBytes, type ServerMessage } from '../shared/protocol/messages.ts';
import type { CoordinatorMessage } from '../shared/secagg/messages.ts';
import { encodeMessage } from '../shared/secagg/wire.ts';
import { publicMessage } from './disclosure.ts';
import { createGroupedRound, type GroupedRoundOptions } from './grouped-round.ts';
import { createMaskedRound, type GroupMembers, type MaskedRound } from './masked-round.ts';
import { accuse } from './round-members.ts';
import type { RoundContext, Runner } from './round-effects.ts';

/** What a masked round has the round do. */
export interface MaskedHooks {
  readonly dispatch: (event: RoundEvent) => void;
  /** In journal and public record, before anything is revealed. */
  readonly charge: (roster: readonly string[], groups?: readonly GroupMembers[]) => Promise<void>;
}

export function openMasked(runner: Runner, hooks: MaskedHooks): MaskedRound {
  const options = optionsOf(runner, hooks);
  return sessionsOf(runner.plan) > 1 ? createGroupedRound(options) : createMaskedRound(options);
}

function optionsOf(runner: Runner, { dispatch, charge }: MaskedHooks): GroupedRoundOptions {
  const { context, plan, directory, receipts } = runner;
  const { key, clock, areas, stallMs, stageMs, gateway, logger, crypto, meter } = context;
  const frameOf = frameWriter(plan.round);
  return {
    plan, key, directory, clock, areas, stallMs, stageMs, ...(meter === undefined ? {} : { meter }), ...(crypto === undefined ? {} : { crypto }),
    send: (participant, message) => void gateway.send(participant, frameOf(message)),
    onGrant: (participant) => void gateway.send(participant, { type: 'upload', round: plan.round }),
    onAccepted: (participant, sha256) => receipts.report(participant, sha256),
    onBlame: (blame) => accuse(runner, directory, blame),
    commit: charge,
    onStage: (stage, answered) => dispatch({ kind: 'masking', stage, answered }),
    onSummed({ survivors, excessNoise }) {
      // Harmless, but the release is a little noisier than it says.
      if (excessNoise.length > 0) logger.warn({ round: plan.round, participants: excessNoise }, 'noise stays in the sum that could have been removed');
      dispatch({ kind: 'summed', reported: survivors });
    },
    onLeftOut(participants, { code, message }) {
      logger.warn({ round: plan.round, participants, code, reason: message }, 'a group is left out');
      for (const participant of participants) gateway.send(participant, { type: 'round-failed', round: plan.round, code, message: publicMessage({ code, message }) });
    },
    onFailed: (code, reason) => dispatch({ kind: 'abort', code, reason }),
  };
}

/** What is told to many, above all the roster, is written once. */
function frameWriter(round: string): (message: CoordinatorMessage) => ServerMessage {
  const written = new WeakMap<CoordinatorMessage, ServerMessage>();
  return (message) => {
    const frame = written.get(message) ?? { type: 'masked', round, frame: encodeBase64(encodeMessage(message)) };
    written.set(message, frame);
    return frame;
  };
}

/** Stages of a masked session beside that of the vectors. */
const maskingStages = 5;

interface Told extends Pick<Runner, 'plan' | 'directory'> {
  readonly context: Pick<RoundContext, 'gateway' | 'stageMs'>;
}

/**
 * Everybody hears of all members: who is in whose group, each draws for itself.
 * @throws CestaError `privacy.infeasible` for more members than a frame has room for, before anybody is told
 */
export function tellToMask({ context: { gateway, stageMs }, plan, directory }: Told): void {
  const deadlineMs = plan.deadlines.trainingMs + maskingStages * stageMs;
  const message: ServerMessage = { type: 'train', round: plan.round, deadlineMs, directory: [...directory] };
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes > maxFrameBytes) throw new CestaError('privacy.infeasible', `cohort: expected a directory of at most ${maxFrameBytes} bytes for all groups, got ${bytes} for ${directory.size} shops; invite fewer`);
  for (const participant of directory.keys()) gateway.send(participant, message);
}
