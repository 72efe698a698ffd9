/**
 * What a client was told and may therefore count on, whatever dies afterwards: releases, charges, heads. It is asked for
 * without a pause while processes are killed, and every answer is checked against the ones before.
 */
import { followHead, type HeadMemory, type SeenHead } from '../../../shared/ledger/followed-head.ts';
import type { ErrorCode } from '../../../shared/protocol/error-table.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';
import type { Served, ServedRelease, ServedRound } from './served.ts';

export interface Witnessed {
  /** Releases that were served, by version. */
  readonly releases: ReadonlyMap<number, ServedRelease>;
  /** The newest answer about the rounds. */
  readonly lastRound: ServedRound | null;
  /** What contradicts what was told before, a sentence each. */
  readonly findings: readonly string[];
  /** Answers that were checked. */
  readonly answers: number;
  /** Asks for everything once; the coordinator may be away. */
  look(): Promise<void>;
  /** Asks for everything and takes no absence for an answer: the coordinator is known to listen. @param releases how many of the newest are fetched again */
  audit(releases?: number): Promise<void>;
}

/** A process that is killed answers nothing, or half of something, which no client takes for an answer. */
const absences: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['network.unreachable']);

/** Releases that are fetched again at every audit. */
const recent = 10;

interface State {
  readonly served: Served;
  readonly releases: Map<number, ServedRelease>;
  readonly committed: Map<string, ServedRound>;
  readonly findings: string[];
  readonly memory: HeadMemory;
  lastRound: ServedRound | null;
  answers: number;
}

export function witness(served: Served): Witnessed {
  const state: State = { served, releases: new Map(), committed: new Map(), findings: [], memory: memoryOfHeads(), lastRound: null, answers: 0 };
  // One after the other: answers that overtook each other would look like something lost.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (looks: readonly ((state: State) => Promise<void>)[], excused: ReadonlySet<ErrorCode> = new Set()): Promise<void> => (last = last.then(() => each(state, looks, excused)));
  return {
    releases: state.releases,
    findings: state.findings,
    get lastRound() {
      return state.lastRound;
    },
    get answers() {
      return state.answers;
    },
    look: () => inTurn([lookAtModel, lookAtHead, lookAtRounds], absences),
    audit: (releases = recent) => inTurn([lookAtModel, lookAtHead, lookAtBudget, (all) => lookAtReleases(all, releases), lookAtAllRounds]),
  };
}

async function each(state: State, looks: readonly ((state: State) => Promise<void>)[], excused: ReadonlySet<ErrorCode>): Promise<void> {
  for (const look of looks) {
    try {
      await look(state);
      state.answers += 1;
    } catch (error) {
      const { code, message } = toCestaError(error);
      if (!excused.has(code)) state.findings.push(`${code}: ${message}`);
    }
  }
}

async function lookAtModel({ served, releases, findings }: State): Promise<void> {
  const release = await served.current();
  const newest = Math.max(0, ...releases.keys());
  if (release === null) {
    if (newest > 0) findings.push(`model: expected at least version ${newest}, which was served before, got none`);
    return;
  }
  const { manifest: { version }, sha256 } = release;
  if (version < newest) findings.push(`model: expected at least version ${newest}, which was served before, got ${version}`);
  const known = releases.get(version);
  if (known === undefined) releases.set(version, release);
  else if (known.sha256 !== sha256) findings.push(`release ${version}: expected ${known.sha256}, as it was served before, got ${sha256}`);
}

async function lookAtHead({ served, memory }: State): Promise<void> {
  await followHead(memory, await served.head(), served.readTile);
}

async function lookAtRounds(state: State): Promise<void> {
  // One further back than needed, so that the one that was open is seen to end.
  const rounds = await state.served.rounds(Math.max(0, (state.lastRound?.number ?? 0) - 2));
  for (const round of rounds) keep(state, round);
}

function keep(state: State, round: ServedRound): void {
  const before = state.committed.get(round.round);
  if (before !== undefined && round.budget !== 'committed') state.findings.push(`round ${round.round}: expected it to stay charged, got ${round.budget ?? 'no spend'}`);
  if (before?.state === 'done' && round.state !== 'done') state.findings.push(`round ${round.round}: expected it to stay done, got ${round.state}`);
  if (before !== undefined && before.planHash !== round.planHash) state.findings.push(`round ${round.round}: expected its plan ${before.planHash}, got ${round.planHash}`);
  if (round.state === 'done' && round.budget !== 'committed') state.findings.push(`round ${round.round}: expected a round that was released to be charged, got ${round.budget ?? 'no spend'}`);
  if (round.budget === 'committed') state.committed.set(round.round, round);
  if (round.number >= (state.lastRound?.number ?? 0)) state.lastRound = round;
}

async function lookAtAllRounds(state: State): Promise<void> {
  const { committed, releases, findings } = state;
  const rounds = await state.served.rounds(0);
  for (const round of rounds) keep(state, round);
  const names = new Set(rounds.map(({ round }) => round));
  if (names.size !== rounds.length || rounds.some(({ number }, index) => number !== index + 1)) findings.push('rounds: expected numbers from 1 without a gap, each once');
  for (const round of committed.keys()) if (!names.has(round)) findings.push(`round ${round}: expected it to be kept, since it was charged, got none`);
  const released = [...releases.values()].filter(({ manifest }) => manifest.restores === undefined).map(({ manifest }) => manifest.round);
  if (new Set(released).size !== released.length) findings.push('releases: expected each to be of a round of its own');
  for (const round of released) if (committed.get(round)?.state !== 'done') findings.push(`round ${round}: expected it to be done and charged, since its release was served`);
}

/** Charges that were seen are a lower bound, since the next round may reserve its own meanwhile. */
async function lookAtBudget({ served, committed, findings }: State): Promise<void> {
  const known = committed.size;
  const charged = await served.roundsCharged();
  if (charged < known) findings.push(`budget: expected at least the ${known} rounds that were charged before, got ${charged}`);
}

async function lookAtReleases({ served, releases, findings }: State, count: number): Promise<void> {
  for (const [version, { sha256 }] of [...releases].slice(-count)) {
    const again = await served.release(version);
    if (again.sha256 !== sha256) findings.push(`release ${version}: expected ${sha256}, as it was served before, got ${again.sha256}`);
  }
}

function memoryOfHeads(): HeadMemory {
  const heads = new Map<string, SeenHead>();
  return { read: (origin) => heads.get(origin) ?? null, write: (head) => void heads.set(head.origin, head), keepConflict: () => undefined };
}
