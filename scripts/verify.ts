/**
 * Verifies the public record of a coordinator from outside: signature, root, every entry in order, the budget from the
 * plans alone, and whether what is served is what was recorded. It sees what the record says, not what was left out
 * of it: for that, participants and witnesses remember the heads that they were shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fetch } from '../client/http.ts';
import { fetchCheckpoint, fetchTile } from '../client/coordinator-api.ts';
import { federationSchema } from '../server/http/schemas.ts';
import { logKey, logOrigin, openCheckpoint } from '../shared/ledger/checkpoint.ts';
import { epsilonOfTask } from '../shared/ledger/compare-budget.ts';
import { readLog, type Finding } from '../shared/ledger/read-log.ts';
import type { TaskTotals } from '../shared/ledger/replay.ts';
import { bytesToHex } from '../shared/protocol/digest.ts';
import { compareServed, fetchJson } from './verify/served.ts';

export interface VerifiedTask {
  readonly task: string;
  /** Rounds whose terms are in the log. */
  readonly plans: number;
  readonly charged: number;
  readonly released: number;
  /** Of those, releases that were held back and never served under their own version. */
  readonly held: number;
  /** Recomputed from the plans; null where nothing is promised. */
  readonly epsilon: number | null;
  readonly delta: number | null;
  readonly release: TaskTotals['release'];
}

export interface Verification {
  readonly origin: string;
  /** Whether the key was given, or taken from the coordinator itself. */
  readonly key: 'given' | 'as served';
  readonly size: number;
  readonly root: string;
  /** Names on the head beside the log's own; their keys are not checked here. */
  readonly cosignedBy: readonly string[];
  readonly tasks: readonly VerifiedTask[];
  readonly equivocations: number;
  /** Empty when all is well; the first inconsistency of the log, or all that differs from it. */
  readonly findings: readonly Finding[];
}

export interface VerifyOptions {
  /** 32 bytes, hex. Without it the log is only checked against the key that its coordinator names. */
  readonly coordinatorKey?: string;
  readonly fetch?: Fetch;
  /** Pause before a difference is looked at again: a round may have moved between two answers. */
  readonly retryMs?: number;
}

const attempts = 3;

/**
 * @throws CestaError `log.untrusted` for a head that the key did not sign; `network.unreachable`; `protocol.malformed`
 * @example
 * const { findings, tasks } = await verifyRecord(new URL('http://127.0.0.1:8787'));
 */
export async function verifyRecord(coordinator: URL, options: VerifyOptions = {}): Promise<Verification> {
  let verification = await verifyOnce(coordinator, options);
  for (let attempt = 1; attempt < attempts && verification.findings.some(({ index }) => index === null); attempt += 1) {
    await sleep(options.retryMs ?? 500);
    verification = await verifyOnce(coordinator, options);
  }
  return verification;
}

async function verifyOnce(coordinator: URL, { coordinatorKey, fetch = globalThis.fetch }: VerifyOptions): Promise<Verification> {
  const publicKey = coordinatorKey ?? (await fetchJson(fetch, coordinator, '.well-known/cesta.json', federationSchema)).publicKey;
  const origin = logOrigin(publicKey);
  const head = await openCheckpoint(await fetchCheckpoint(fetch, coordinator), [logKey(publicKey)], origin);
  const { replay, finding } = await readLog((address) => fetchTile(fetch, coordinator, address), head);
  const totals = replay.totals();
  const differences = finding === null ? await compareServed(fetch, coordinator, publicKey, totals) : [];
  return {
    origin,
    key: coordinatorKey === undefined ? 'as served' : 'given',
    size: head.size,
    root: bytesToHex(head.root),
    cosignedBy: head.note.signatures.map(({ name }) => name).filter((name) => name !== origin),
    tasks: totals.tasks.map(describeTask),
    equivocations: totals.equivocations,
    findings: finding === null ? differences.map((reason) => ({ index: null, reason })) : [finding],
  };
}

function describeTask(totals: TaskTotals): VerifiedTask {
  const { task, plans, rounds, release } = totals;
  return { task, plans, ...rounds, ...epsilonOfTask(totals), release };
}
