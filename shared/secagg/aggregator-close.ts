/** How a state ends: with whoever answered, the aggregator says the next thing, or finds that too few are left. */
import { CestaError } from '../protocol/errors.ts';
import type { AggregatorContext, AggregatorEffect, AggregatorStateOf, AggregatorStep, CollectingState } from './aggregator-state.ts';
import { unmask, UnmaskableError } from './aggregator-unmask.ts';
import { bitmapOf, concatenated, recordOf } from './bytes.ts';
import { neighboursOf, placeAmongNeighbours } from './graph.ts';
import type { CoordinatorMessage } from './messages.ts';
import { requireDistinct, requireEnough, rosterMessage, rosterOf, type Roster } from './roster.ts';
import { boxBytes, commitmentRowBytes } from './sealed-share.ts';
import { confirmationsNeeded, openSession, requireSurvivors, signBytes, survivorsHash, survivorsStatement, type Session } from './session.ts';
import { componentsOf } from './terms.ts';

/** What every state takes over from the one before. */
function carried({ blamed, gone }: CollectingState): Pick<CollectingState, 'blamed' | 'gone' | 'answers'> {
  return { blamed, gone, answers: new Map() };
}

/** @throws CestaError `secagg.too-few` and others: the round has failed. */
export async function closeState(context: AggregatorContext, state: CollectingState): Promise<AggregatorStep> {
  switch (state.kind) {
    case 'keys':
      return closeKeys(context, state);
    case 'nonces':
      return closeNonces(context, state);
    case 'shares':
      return closeShares(context, state);
    case 'masked':
      return closeMasked(context, state);
    case 'confirm':
      return closeConfirm(context, state);
    case 'unmask': {
      const result = await unmask(context, state);
      const named = result.blamed.slice(state.blamed.length).map((blame): AggregatorEffect => ({ kind: 'exclude', blame }));
      return [{ kind: 'done', result }, [...named, { kind: 'entered', stage: 'done' }, { kind: 'done', result }]];
    }
    default:
      return state satisfies never;
  }
}

function broadcast(ids: Iterable<string>, message: CoordinatorMessage): AggregatorEffect[] {
  return [...ids].map((to) => ({ kind: 'send', to, message }));
}

function idsOf({ entries }: Roster, members: Iterable<number>): Set<string> {
  return new Set([...members].map((member) => entries[member].id));
}

/** Those whose vector is in the sum and who are still there to be asked. */
function present({ session, gone }: AggregatorStateOf<'masked' | 'confirm'>, members: Iterable<number>): Set<string> {
  return new Set([...idsOf(session.roster, members)].filter((id) => !gone.has(id)));
}

async function closeKeys(context: AggregatorContext, state: AggregatorStateOf<'keys'>): Promise<AggregatorStep> {
  const { terms, identity } = context;
  const { entries } = state;
  requireEnough(terms, entries.size);
  const roster = rosterOf(terms, [...entries.values()], (statement) => signBytes(identity, statement));
  requireDistinct(roster.entries);
  const waiting = new Set(entries.keys());
  const effects = broadcast(waiting, rosterMessage(roster));
  if (terms.graph.kind === 'harary') return [{ kind: 'nonces', roster, nonces: new Map(), waiting, ...carried(state) }, [{ kind: 'entered', stage: 'nonces' }, ...effects]];
  const session = await openSession(context.crypto, terms, roster, new Map());
  return [dealing(session, waiting, state), [{ kind: 'entered', stage: 'shares' }, ...effects]];
}

function dealing(session: Session, waiting: ReadonlySet<string>, before: CollectingState): AggregatorStateOf<'shares'> {
  return { kind: 'shares', session, waiting, dealings: new Map(), boxes: new Map(), ...carried(before) };
}

async function closeNonces({ terms, crypto }: AggregatorContext, state: AggregatorStateOf<'nonces'>): Promise<AggregatorStep> {
  const { roster, nonces } = state;
  const opened = new Map([...nonces].sort(([a], [b]) => a - b));
  const session = await openSession(crypto, terms, roster, opened);
  const waiting = idsOf(roster, opened.keys());
  const message: CoordinatorMessage = { kind: 'openings', opened: bitmapOf(roster.entries.length, opened.keys()), nonces: concatenated([...opened.values()]) };
  return [dealing(session, waiting, state), [{ kind: 'entered', stage: 'shares' }, ...broadcast(waiting, message)]];
}

/** R1': everyone gets the boxes addressed to it. The boxes are then forgotten: only commitments are needed later. */
function closeShares({ terms }: AggregatorContext, state: AggregatorStateOf<'shares'>): AggregatorStep {
  const { session, dealings, boxes } = state;
  requireSurvivors(terms, session, dealings.size);
  const components = componentsOf(terms);
  const effects = [...dealings.keys()].map((receiver): AggregatorEffect => {
    const senders = neighboursOf(session.graph, receiver).filter((neighbour) => dealings.has(neighbour));
    const cut = (packed: Uint8Array | undefined, sender: number, size: number): Uint8Array => recordOf(packed ?? new Uint8Array(0), placeAmongNeighbours(session.graph, sender, receiver), size);
    const message: CoordinatorMessage = {
      kind: 'forward',
      senders: bitmapOf(session.roster.entries.length, senders),
      boxes: concatenated(senders.map((sender) => cut(boxes.get(sender), sender, boxBytes(components)))),
      commitments: concatenated(senders.map((sender) => cut(dealings.get(sender)?.commitments, sender, commitmentRowBytes(components)))),
    };
    return { kind: 'send', to: session.roster.entries[receiver].id, message };
  });
  const waiting = idsOf(session.roster, dealings.keys());
  return [
    { kind: 'masked', session, dealings, waiting, sum: new Int32Array(terms.length), reported: new Map(), ...carried(state) },
    [{ kind: 'entered', stage: 'masked' }, ...effects],
  ];
}

function closeMasked({ terms, identity }: AggregatorContext, state: AggregatorStateOf<'masked'>): AggregatorStep {
  const { session, dealings, sum, reported } = state;
  requireSurvivors(terms, session, reported.size);
  const hash = survivorsHash(session, reported.keys());
  const waiting = present(state, reported.keys());
  const message: CoordinatorMessage = {
    kind: 'survivors',
    members: bitmapOf(session.roster.entries.length, reported.keys()),
    signature: signBytes(identity, survivorsStatement(session, hash)),
  };
  return [
    { kind: 'confirm', session, dealings, sum, reported, waiting, survivorsHash: hash, confirmations: new Map(), ...carried(state) },
    [{ kind: 'entered', stage: 'confirm' }, ...broadcast(waiting, message)],
  ];
}

function closeConfirm({ terms }: AggregatorContext, state: AggregatorStateOf<'confirm'>): AggregatorStep {
  const { session, dealings, sum, reported, survivorsHash: hash, confirmations } = state;
  const needed = confirmationsNeeded(terms, session);
  if (confirmations.size < needed) throw new CestaError('secagg.too-few', `confirmations: expected at least ${needed}, got ${confirmations.size}`);
  const signers = [...confirmations.keys()].sort((a, b) => a - b);
  const waiting = present(state, signers);
  const message: CoordinatorMessage = {
    kind: 'confirmations',
    signers: bitmapOf(session.roster.entries.length, signers),
    signatures: concatenated(signers.map((member) => confirmations.get(member) ?? new Uint8Array(64))),
  };
  return [
    { kind: 'unmask', session, dealings, sum, reported, waiting, survivorsHash: hash, revealed: new Map(), ...carried(state) },
    [{ kind: 'entered', stage: 'unmask' }, ...broadcast(waiting, message)],
  ];
}

/** Who has to be named when a round fails. */
export function blameIn(error: unknown): AggregatorStateOf<'failed'>['blamed'] {
  return error instanceof UnmaskableError ? [error.blame] : [];
}
