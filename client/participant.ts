/**
 * Takes part in rounds: runs the effects of the participation state machine over a connection. Used by shop nodes
 * and by browsers: what is theirs (the model, the statistic, the record of spends) comes in as callbacks.
 */
import type { Plan } from '../shared/federation/plan.ts';
import type { Masked } from '../shared/privacy/vectors.ts';
import { sha256Hex } from '../shared/protocol/digest.ts';
import { toCestaError, type CestaError } from '../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { Connection, ConnectionEvent, ConnectionHandlers } from './connection.ts';
import { idle, participate, type ParticipationEffect, type ParticipationEvent, type RoundNews } from './participation.ts';
import { checkBudget, checkPromise, checkShape, checkSignature, refuseUnreadable } from './plan-checks.ts';
import type { RecordChecks } from './record-checks.ts';
import type { SpendLimits, SpendRecord } from './spends.ts';

export type ParticipantEvent = ConnectionEvent | RoundNews;

export interface ParticipantOptions {
  readonly connect: (handlers: ConnectionHandlers) => Connection;
  /** The model of the plan over the catalogue of the plan. Rejects with what to decline with. */
  readonly model: (plan: Plan) => Promise<AnyFederatedModel>;
  /** The participant's own limit, and what it has spent by its own record. */
  readonly budget?: SpendLimits & { readonly record: () => SpendRecord };
  /** Asks for the plan in the public record of the coordinator. */
  readonly record?: RecordChecks;
  /** A further condition on a plan, by throwing. */
  readonly accept?: (plan: Plan) => void;
  /** Makes the report of a round: clipped, noised, masked. Called at most once for each noising of the data. */
  readonly statistic: (plan: Plan, planHash: string, signal: AbortSignal) => Promise<Masked>;
  readonly onEvent: (event: ParticipantEvent) => void;
}

export interface Participant {
  /** Leaves the round that is open, if any, and ends the connection. */
  stop(): void;
}

/**
 * @example
 * const participant = startParticipant({ connect: (handlers) => openConnection({ ...settings, ...handlers }),
 *   model, statistic, onEvent: console.log });
 */
export function startParticipant(options: ParticipantOptions): Participant {
  let state = idle;
  let task = '';
  let work = new AbortController();

  function dispatch(event: ParticipationEvent): void {
    const [next, effects] = participate(state, event);
    state = next;
    for (const effect of effects) run(effect);
  }

  function run(effect: ParticipationEffect): void {
    switch (effect.kind) {
      case 'check':
        return void check(options, effect, task, connection.coordinatorKey).then((refusal) => dispatch({ kind: 'checked', planHash: effect.planHash, refusal }));
      case 'send':
        return void connection.send(effect.message);
      case 'build':
        return build(effect.plan, effect.planHash);
      case 'abandon':
        work.abort();
        work = new AbortController();
        return;
      case 'send-statistic':
        // A loss on the way shows as `down`; what is left to do then, the state knows.
        return void connection.sendStatistic(effect.round, effect.statistic, work.signal);
      case 'tell':
        return options.onEvent(effect.news);
      default:
        return effect satisfies never;
    }
  }

  function build(plan: Plan, hash: string): void {
    const { signal } = work;
    options.statistic(plan, hash, signal).then(
      (statistic) => !signal.aborted && dispatch({ kind: 'built', planHash: hash, report: { statistic, sha256: digestOf(statistic) } }),
      (thrown: unknown) => !signal.aborted && dispatch({ kind: 'build-failed', planHash: hash, error: toCestaError(thrown) }),
    );
  }

  function hear(event: ConnectionEvent): void {
    options.onEvent(event);
    if (event.kind === 'up') {
      ({ task } = event);
      dispatch({ kind: 'up' });
    }
    if (event.kind === 'down') dispatch({ kind: 'down' });
    if (event.kind === 'over') work.abort();
    if (event.kind === 'malformed') declineUnreadable(event.text);
  }

  function declineUnreadable(text: string): void {
    const refusal = refuseUnreadable(text);
    if (refusal === null) return;
    connection.send({ type: 'decline', ...refusal });
    options.onEvent({ kind: 'declined', ...refusal });
  }

  const connection = options.connect({ onEvent: hear, onMessage: (message) => dispatch({ kind: 'message', message }) });
  return {
    stop() {
      dispatch({ kind: 'stop' });
      connection.close();
    },
  };
}

type Invitation = Extract<ParticipationEffect, { kind: 'check' }>;

/** What to decline with, or null. The cheap checks come first; a model is only built for a plan that is genuine. */
async function check(options: ParticipantOptions, { plan, signature, evidence }: Invitation, task: string, coordinatorKey: string | null): Promise<CestaError | null> {
  try {
    await checkSignature(plan, signature, coordinatorKey);
    if (coordinatorKey !== null) await options.record?.check(plan, evidence, coordinatorKey);
    if (options.budget !== undefined) checkBudget(plan, options.budget.record(), options.budget);
    checkPromise(plan);
    options.accept?.(plan);
    checkShape(plan, task, await options.model(plan));
    return null;
  } catch (thrown) {
    return toCestaError(thrown);
  }
}

function digestOf(statistic: Masked): string {
  return sha256Hex(new Uint8Array(statistic.buffer, statistic.byteOffset, statistic.byteLength));
}
