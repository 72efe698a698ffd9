/**
 * One masked session on a participant's side: the pure machine of `shared/secagg`, one event at a time. The report is
 * asked for once the roster is fixed, since shares of noise depend on its size; what may be revealed only once is
 * written down before it is sent.
 */
import { groupOf } from '../shared/federation/group-draw.ts';
import { maskedTerms } from '../shared/federation/masked-terms.ts';
import { componentNoise } from '../shared/federation/noise-shares.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { sessionsOf } from '../shared/federation/session-cohort.ts';
import { decodeBase64 } from '../shared/ledger/base64.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import type { SecureRandom } from '../shared/numerics/random.ts';
import type { Noised } from '../shared/privacy/vectors.ts';
import { bytesToHex } from '../shared/protocol/digest.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { Awaitable, SecaggCrypto } from '../shared/secagg/crypto.ts';
import type { ParticipantMessage } from '../shared/secagg/messages.ts';
import { idleParticipant, participantStep } from '../shared/secagg/participant.ts';
import type { Evidence, ParticipantContext, ParticipantEffect, ParticipantEvent, ParticipantState } from '../shared/secagg/participant-state.ts';
import type { Directory } from '../shared/secagg/roster.ts';
import { platformCrypto } from '../shared/secagg/web-crypto.ts';
import { decodeFrame, encodeMessage } from '../shared/secagg/wire.ts';
import { systemRandom } from './secure-random.ts';
import { systemTimers, type Timers } from './socket.ts';

/** Who takes part, and what it must remember. */
export interface MaskingIdentity {
  /** As the coordinator knows this participant. */
  readonly id: string;
  readonly key: SigningKey;
  /** The quickest primitives of the platform; by default those of `platformCrypto`. */
  readonly crypto?: SecaggCrypto;
  /** Of keys, masks and seeds of noise: whoever could repeat it could take them off. By default the operating system's. */
  readonly random?: SecureRandom;
  /** Writes down, durably when it resolves, that this session (hex) was answered. Rejects if it was before. */
  readonly recordRelease: (sessionId: string) => Awaitable<void>;
  /** Whether these shops may be in a sum with ours. Throws what to leave with. */
  readonly acceptDirectory: (plan: Plan, directory: Directory) => void;
}

export interface MaskedSessionOptions {
  readonly plan: Plan;
  /** All members of the round: which of them are in the same group, if there are groups, is drawn here. */
  readonly directory: Directory;
  readonly coordinatorKey: string;
  readonly identity: MaskingIdentity;
  /** After this the session ends, whatever it waits for. */
  readonly deadlineMs: number;
  readonly timers?: Timers;
  /** The noised sum for a roster of this size. */
  readonly report: (participants: number) => Promise<Noised>;
  readonly send: (frame: Uint8Array) => void;
  /** The masked vector, as words: it is announced and sent in chunks. */
  readonly upload: (words: Int32Array) => void;
  /** The session is over for this participant: null when it did its part to the end. */
  readonly onEnd: (error: CestaError | null, evidence: Evidence | null) => void;
}

export interface MaskedSession {
  /** A frame of the coordinator, in Base 64. */
  receive(frame: string): void;
  stop(reason: string): void;
}

interface Running {
  readonly options: MaskedSessionOptions;
  readonly context: ParticipantContext;
  readonly events: ParticipantEvent[];
  state: ParticipantState;
  /** Why there is no report. */
  failure: CestaError | null;
  isBusy: boolean;
  cancelTimer: () => void;
}

/** @throws CestaError for a directory or a plan that this participant does not accept. */
export function startMaskedSession(options: MaskedSessionOptions): MaskedSession {
  const { plan, directory, identity, coordinatorKey, deadlineMs, timers = systemTimers } = options;
  if (directory.get(identity.id) !== identity.key.publicKey) throw new CestaError('secagg.invalid', `directory: expected the key of ${identity.id}, got ${directory.get(identity.id) ?? 'none'}`);
  if (directory.size > plan.cohort.maxParticipants) throw new CestaError('secagg.invalid', `directory: expected at most ${plan.cohort.maxParticipants} shops, got ${directory.size}`);
  // Of all members, whatever the group: the coordinator chose them all, and could have drawn until it liked the groups.
  identity.acceptDirectory(plan, directory);
  const group = sessionsOf(plan) > 1 ? groupOf(plan, directory, identity.id) : null;
  const { crypto = platformCrypto(), random = systemRandom() } = identity;
  const context: ParticipantContext = {
    terms: maskedTerms(plan, coordinatorKey, group?.terms),
    id: identity.id,
    identity: identity.key,
    directory: group?.directory ?? directory,
    crypto,
    random,
    noiseOf: componentNoise(plan, crypto),
  };
  const running: Running = { options, context, events: [], state: idleParticipant, failure: null, isBusy: false, cancelTimer: () => undefined };
  running.cancelTimer = timers.after(deadlineMs, () => enqueue(running, { kind: 'stop', reason: `no end within ${deadlineMs} ms` }));
  enqueue(running, { kind: 'start' });
  return {
    receive: (frame) => enqueue(running, { kind: 'message', message: decodeOrNull(frame) }),
    stop(reason) {
      enqueue(running, { kind: 'stop', reason });
    },
  };
}

/** What is no frame is no message either, and the machine aborts. */
function decodeOrNull(frame: string): unknown {
  const bytes = decodeBase64(frame);
  try {
    return bytes === null ? null : decodeFrame(bytes);
  } catch {
    return null;
  }
}

function enqueue(running: Running, event: ParticipantEvent): void {
  running.events.push(event);
  if (!running.isBusy) void work(running);
}

async function work(running: Running): Promise<void> {
  running.isBusy = true;
  for (let event = running.events.shift(); event !== undefined; event = running.events.shift()) {
    const [state, effects] = await participantStep(running.context, running.state, event);
    running.state = state;
    for (const effect of effects) {
      try {
        await perform(running, effect);
      } catch (error) {
        // Above all: what could not be written down is not sent.
        running.state = { kind: 'aborted', code: toCestaError(error).code, message: toCestaError(error).message };
        end(running, toCestaError(error), null);
        break;
      }
    }
  }
  running.isBusy = false;
}

function perform(running: Running, effect: ParticipantEffect): Awaitable<void> {
  const { options } = running;
  switch (effect.kind) {
    case 'send':
      return send(options, effect.message);
    case 'report-wanted':
      return void options.report(effect.participants).then(
        (vector) => enqueue(running, { kind: 'report', vector }),
        (error: unknown) => {
          // Its words may tell about the data or the machine: they are for the owner alone.
          running.failure = toCestaError(error);
          enqueue(running, { kind: 'stop', reason: 'no report' });
        },
      );
    case 'record-release':
      return options.identity.recordRelease(bytesToHex(effect.sessionId));
    case 'aborted':
      return end(running, new CestaError(effect.code, effect.message), effect.evidence ?? null);
    case 'done':
      return end(running, null, null);
    default:
      return effect satisfies never;
  }
}

function send({ upload, send: sendFrame }: MaskedSessionOptions, message: ParticipantMessage): void {
  const frame = encodeMessage(message);
  if (message.kind !== 'masked') return sendFrame(frame);
  // Frames are whole words; a copy of its own is aligned.
  upload(new Int32Array(frame.slice().buffer));
}

function end(running: Running, error: CestaError | null, evidence: Evidence | null): void {
  running.cancelTimer();
  running.options.onEnd(running.failure ?? error, evidence);
}
