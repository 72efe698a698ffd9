/**
 * Verifies the public record in this browser, with the code of `cesta verify`: every entry against the signed head, the
 * budget from the plans alone, and whether the release that is served is the last one in the record. The scripts come
 * from the same coordinator: whoever distrusts it runs `cesta verify` from a copy of their own.
 */
import { budgetSchema, federationSchema, roundsSchema, tasksSchema } from '../../http/schemas.ts';
import { logKey, logOrigin, openCheckpoint } from '../../../shared/ledger/checkpoint.ts';
import { compareBudget, epsilonOfTask, reservedOf, type Reserved } from '../../../shared/ledger/compare-budget.ts';
import { readLog, type Finding } from '../../../shared/ledger/read-log.ts';
import type { TaskTotals } from '../../../shared/ledger/replay.ts';
import { tilePath } from '../../../shared/ledger/tiles.ts';
import { bytesToHex, sha256Hex } from '../../../shared/protocol/digest.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';
import { ask, request } from './api.ts';

export interface VerifiedTask {
  readonly task: string;
  readonly charged: number;
  readonly released: number;
  /** Computed from the plans in the record; null where nothing is promised. */
  readonly epsilon: number | null;
  readonly version: number | null;
}

export interface Verification {
  readonly publicKey: string;
  readonly size: number;
  readonly root: string;
  readonly cosignedBy: readonly string[];
  readonly tasks: readonly VerifiedTask[];
  /** Empty when all is well. */
  readonly findings: readonly Finding[];
}

const attempts = 3;
const retryMs = 500;

/**
 * @param knownKey the coordinator's, where it is known from elsewhere; else the one that it names itself
 * @throws CestaError `log.untrusted` for a head that the key did not sign; `network.unreachable`; `protocol.malformed`
 */
export async function verifyRecord(knownKey: string | null): Promise<Verification> {
  let verification = await verifyOnce(knownKey);
  // A round may have moved between two answers.
  for (let attempt = 1; attempt < attempts && verification.findings.some(({ index }) => index === null); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    verification = await verifyOnce(knownKey);
  }
  return verification;
}

async function verifyOnce(knownKey: string | null): Promise<Verification> {
  const publicKey = knownKey ?? (await ask('.well-known/cesta.json', federationSchema)).publicKey;
  const head = await openCheckpoint(new TextDecoder().decode(await request('v1/log/checkpoint')), [logKey(publicKey)], logOrigin(publicKey));
  const { replay, finding } = await readLog((address) => request(`v1/log/${tilePath(address)}`), head);
  const { tasks } = replay.totals();
  return {
    publicKey, size: head.size, root: bytesToHex(head.root),
    cosignedBy: head.note.signatures.map(({ name }) => name).filter((name) => name !== head.origin),
    tasks: tasks.map((totals) => ({ task: totals.task, charged: totals.rounds.charged, released: totals.rounds.released, epsilon: epsilonOfTask(totals).epsilon, version: totals.release?.version ?? null })),
    findings: finding === null ? await compareServed(tasks) : [finding],
  };
}

async function compareServed(logged: readonly TaskTotals[]): Promise<Finding[]> {
  const { tasks } = await ask('v1/tasks', tasksSchema);
  const differences = await Promise.all(tasks.map(async ({ task, version }) => {
    const totals = logged.find((other) => other.task === task) ?? null;
    const path = `v1/tasks/${encodeURIComponent(task)}`;
    const found = [...compareBudget(await ask(`${path}/budget`, budgetSchema), totals, await reserved(path)), ...(await compareRelease(path, version, totals))];
    return found.map((reason): Finding => ({ index: null, reason: `task ${task}, ${reason}` }));
  }));
  return differences.flat();
}

async function reserved(path: string): Promise<Reserved> {
  const rounds: Parameters<typeof reservedOf>[0][number][] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: { rounds: typeof rounds; next: number | null } = await ask(`${path}/rounds?after=${after}`, roundsSchema);
    rounds.push(...page.rounds.filter(({ budget }) => budget === 'reserved'));
    after = page.next !== null && page.next > after ? page.next : null;
  }
  return reservedOf(rounds);
}

async function compareRelease(path: string, version: number | null, totals: TaskTotals | null): Promise<string[]> {
  const expected = totals?.release?.sha256 ?? null;
  try {
    const actual = version === null ? null : sha256Hex(await request(`${path}/model`));
    return actual === expected ? [] : [`model: expected the release ${expected ?? '(none)'}, the last one in the log, got ${actual ?? '(none)'}`];
  } catch (error) {
    return [`model: expected the release ${expected ?? '(none)'}, got ${toCestaError(error).message}`];
  }
}
