/** Runs cases all at the same time, since each waits for a round; in masked sums only as many members as may leave one. */
import { toCestaError } from '../../../shared/protocol/errors.ts';
import type { Served } from '../crashes/served.ts';
import type { CaseContext, CaseOutcome, HostileCase } from './cases.ts';
import { guests } from './task.ts';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CaseRow {
  readonly name: string;
  readonly expected: string;
  readonly answer: string;
  /** Of the round that was attacked: what became of it. */
  readonly roundState: string | null;
}

const unfinished: ReadonlySet<string> = new Set(['recruiting', 'training', 'releasing']);
const roundMs = 30_000;

export async function runCases(context: CaseContext, cases: readonly HostileCase[], served: Served): Promise<CaseRow[]> {
  const fitting = cases.filter(({ needs }) => context.mode === 'local' || needs !== 'upload');
  const lines = context.mode === 'local' ? fitting.map((one) => [one]) : inLines(fitting);
  const rows = await Promise.all(lines.map(async (line) => {
    const done: (CaseOutcome & { of: HostileCase })[] = [];
    for (const one of line) done.push({ of: one, ...(await attempt(one, context)) });
    return done;
  }));
  const states = await statesOf(served, rows.flat().flatMap(({ round }) => round ?? []));
  return rows.flat().map(({ of: { name, expected }, answer, round }) => ({ name, expected, answer, roundState: round === null ? null : (states.get(round) ?? 'unknown') }));
}

/** Members in as many lines as may leave one sum, each one after the other; everybody else at once. */
function inLines(cases: readonly HostileCase[]): HostileCase[][] {
  const members = cases.filter(({ needs }) => needs === 'member');
  const lines = Array.from({ length: guests.distributed }, (_, line) => members.filter((_one, index) => index % guests.distributed === line));
  return [...lines, ...cases.filter(({ needs }) => needs === 'nothing').map((one) => [one])];
}

async function attempt(one: HostileCase, context: CaseContext): Promise<CaseOutcome> {
  try {
    return await one.act(context, one.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 40).toLowerCase());
  } catch (error) {
    return { answer: `failed: ${toCestaError(error).message}`, round: null };
  }
}

/** What became of rounds, once all of them are over. */
async function statesOf(served: Served, rounds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const end = performance.now() + roundMs;
  for (;;) {
    const states = new Map((await served.rounds(0)).map(({ round, state }) => [round, state as string]));
    if (!rounds.some((round) => unfinished.has(states.get(round) ?? '')) || performance.now() > end) return states;
    await sleep(100);
  }
}
