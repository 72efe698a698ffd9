/**
 * The aggregator of `cesta/silo-secagg/v1` as a machine: OPEN -> KEYS -> (NONCES ->) SHARES -> MASKED -> CONFIRM ->
 * UNMASK -> DONE, or FAILED from anywhere. Papers: Bonawitz et al. 2017, Bell et al. 2020. A participant that breaks the
 * protocol is named and left out while the others go on; one that leaves costs nothing but its place. What the
 * aggregator holds is one sum and, for each participant, what it dealt: never a vector of anybody.
 * Does not protect against: a dealer that gives shares off its polynomial to most holders and then leaves. The round
 * fails then, and names it.
 * The caller runs one step at a time.
 */
import { toCestaError, type CestaError } from '../protocol/errors.ts';
import { blameIn, closeState } from './aggregator-close.ts';
import { collect, openAnswer, type AnswerMessage } from './aggregator-collect.ts';
import type { AggregatorContext, AggregatorEffect, AggregatorEvent, AggregatorState, AggregatorStep, Blame, CollectingState } from './aggregator-state.ts';
import { sameBytes } from './bytes.ts';
import { parseParticipantMessage, type ParticipantMessage } from './messages.ts';

export const openAggregator: AggregatorState = { kind: 'open' };

/**
 * One step. It never rejects: what a participant does wrong is its own exclusion, what leaves too few is a failed round.
 * @example
 * let [state, effects] = await aggregatorStep(context, openAggregator, { kind: 'start', invited: ['a', 'b', 'c', 'd'] });
 */
export async function aggregatorStep(context: AggregatorContext, state: AggregatorState, event: AggregatorEvent): Promise<AggregatorStep> {
  if (state.kind === 'done' || state.kind === 'failed') return [state, []];
  if (state.kind === 'open') return event.kind === 'start' ? open(event.invited) : [state, []];
  try {
    switch (event.kind) {
      case 'start':
        return [state, []];
      case 'message':
        return await receive(context, state, event.from, event.message);
      case 'left':
        return await settle(context, without(state, event.id), []);
      case 'deadline':
        return await closeState(context, state);
      default:
        return event satisfies never;
    }
  } catch (thrown) {
    return fail(state, thrown);
  }
}

function open(invited: readonly string[]): AggregatorStep {
  return [{ kind: 'keys', entries: new Map(), waiting: new Set(invited), blamed: [], answers: new Map() }, [{ kind: 'entered', stage: 'keys' }]];
}

function fail(state: CollectingState, thrown: unknown): AggregatorStep {
  const { code, message } = toCestaError(thrown);
  const failed = { kind: 'failed', code, message, blamed: [...state.blamed, ...blameIn(thrown)] } as const;
  return [failed, [{ kind: 'entered', stage: 'failed' }, failed]];
}

/** Goes on once nobody is waited for. */
async function settle(context: AggregatorContext, state: CollectingState, effects: readonly AggregatorEffect[]): Promise<AggregatorStep> {
  if (state.waiting.size > 0) return [state, effects];
  try {
    const [next, more] = await closeState(context, state);
    return [next, [...effects, ...more]];
  } catch (thrown) {
    const [failed, more] = fail(state, thrown);
    return [failed, [...effects, ...more]];
  }
}

async function receive(context: AggregatorContext, state: CollectingState, from: string, value: unknown): Promise<AggregatorStep> {
  const earlier = state.answers.get(from);
  // Left out, or of a round it was never in: nothing it says counts.
  if (earlier === undefined && !state.waiting.has(from)) return [state, []];
  let message: ParticipantMessage;
  try {
    message = parseParticipantMessage(value);
    if (message.kind !== 'abort') return await take(context, state, from, message);
  } catch (thrown) {
    return exclude(context, state, { id: from, stage: state.kind, ...coded(thrown) });
  }
  return settle(context, without(state, from), []);
}

function coded(thrown: unknown): Pick<CestaError, 'code' | 'message'> {
  const { code, message } = toCestaError(thrown);
  return { code, message };
}

async function take(context: AggregatorContext, state: CollectingState, from: string, message: AnswerMessage): Promise<AggregatorStep> {
  const earlier = state.answers.get(from);
  const signed = await openAnswer(context, state, from, message);
  if (earlier !== undefined) {
    if (sameBytes(earlier.statement, signed.statement)) return [state, []];
    const said = `${message.kind}: expected one for this round, got two that ${from} signed`;
    return exclude(context, state, { id: from, stage: state.kind, code: 'secagg.equivocation', message: said, evidence: { first: earlier, second: signed } });
  }
  const [next, wrong] = await collect(context, state, message, { id: from, signed });
  if (wrong === null) return settle(context, next, []);
  const blame: Blame = { id: from, stage: state.kind, ...coded(wrong) };
  return settle(context, { ...next, blamed: [...next.blamed, blame] }, [{ kind: 'exclude', blame }]);
}

function exclude(context: AggregatorContext, state: CollectingState, blame: Blame): Promise<AggregatorStep> {
  const left = without(state, blame.id);
  return settle(context, { ...left, blamed: [...left.blamed, blame] }, [{ kind: 'exclude', blame }]);
}

/**
 * The round without this participant. Until the boxes are handed out it leaves no trace; afterwards its masks are in
 * other vectors, and a vector that is in the sum stays: it cannot be told apart any more.
 */
function without(state: CollectingState, id: string): CollectingState {
  const waiting = new Set(state.waiting);
  waiting.delete(id);
  const { answers } = state;
  switch (state.kind) {
    case 'keys':
      return { ...state, waiting, answers: omit(answers, id), entries: omit(state.entries, id) };
    case 'nonces':
      return { ...state, waiting, answers: omit(answers, id), nonces: omit(state.nonces, state.roster.entries.findIndex((entry) => entry.id === id)) };
    case 'shares': {
      const member = state.session.roster.entries.findIndex((entry) => entry.id === id);
      return { ...state, waiting, answers: omit(answers, id), dealings: omit(state.dealings, member), boxes: omit(state.boxes, member) };
    }
    case 'masked':
    case 'confirm':
    case 'unmask':
      return { ...state, waiting };
    default:
      return state satisfies never;
  }
}

function omit<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
