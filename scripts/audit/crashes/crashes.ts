/**
 * Kills the processes of a federation without a word, starts them again, and checks that nothing that was acknowledged
 * is lost: releases, charges, receipts, heads of the public record, spends of shops. SIGKILL ends processes, not the machine: what
 * the operating system has accepted survives, so a power cut is not shown here.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import { verifyRecord } from '../../verify.ts';
import { runnableTree } from '../../package/compiled.ts';
import { openFederation, type CrashFederation, type CrashMode } from './federation.ts';
import { watchReceipts, type HeldReceipts } from './held-receipts.ts';
import { planKills, type Kill, type Moment } from './moments.ts';
import { servedBy, type Served } from './served.ts';
import { watchSpendLines, type SpendLines } from './spend-lines.ts';
import { witness, type Witnessed } from './witnessed.ts';

export interface CrashesOptions {
  readonly mode: CrashMode;
  readonly kills: number;
  readonly seed: number;
  /** Keeps what the processes wrote. */
  readonly folder: string;
  /** Rounds a kill, of the task's budget; what is left is run to the end without kills. */
  readonly roundsPerKill?: number;
  readonly onKill?: (kill: Kill, count: number) => void;
}

export interface CrashesReport {
  readonly mode: CrashMode;
  readonly kills: number;
  readonly rounds: number;
  readonly charged: number;
  readonly released: number;
  /** Answers of the coordinator that were checked while processes died. */
  readonly answers: number;
  /** Receipts that shops hold in the end. */
  readonly receipts: number;
  /** What was lost, or did not go on; empty when all is well. */
  readonly findings: readonly string[];
}

/** Kills with one task: its history is read anew after each of them. */
const killsPerTask = 20;
/** A task may end before a moment comes. It is followed by another, unless so many in a row ended without a kill. */
const vainTasks = 3;
/** Rounds go on while a moment is waited for: a task for one kill needs more than a kill's share of them. */
const roundsAtLeast = 40;
/** A shop that waits longer than this for its coordinator, or a round for its shops, is taken for stuck. */
const patienceMs = 90_000;
/** A state that no round is seen in for so long is not waited for: any moment will do. */
const momentMs = 3_000;

interface TaskOptions extends CrashesOptions {
  readonly compiled: string;
}

interface Run {
  readonly options: TaskOptions;
  readonly federation: CrashFederation;
  readonly served: Served;
  readonly witnessed: Witnessed;
  readonly spends: SpendLines;
  readonly receipts: HeldReceipts;
  readonly findings: string[];
}

/** Kills as often as was asked for, with as many tasks as that takes. */
export async function auditCrashes(options: CrashesOptions): Promise<CrashesReport> {
  const reports: CrashesReport[] = [];
  const compiled = await runnableTree(join(options.folder, 'compiled'));
  let left = options.kills;
  while (left > 0 && reports.slice(-vainTasks).filter(({ kills }) => kills === 0).length < vainTasks) {
    const report = await crashTask({ ...options, compiled, kills: Math.min(left, killsPerTask), seed: options.seed + reports.length, folder: join(options.folder, `task-${reports.length + 1}`) });
    reports.push(report);
    left -= report.kills;
    if (report.findings.length > 0) break;
  }
  const sum = (of: (report: CrashesReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    mode: options.mode,
    kills: sum(({ kills }) => kills),
    rounds: sum(({ rounds }) => rounds),
    charged: sum(({ charged }) => charged),
    released: sum(({ released }) => released),
    answers: sum(({ answers }) => answers),
    receipts: sum(({ receipts }) => receipts),
    findings: [...reports.flatMap(({ findings }) => findings), ...(left > 0 ? [`kills: expected ${options.kills}, got ${options.kills - left}`] : [])],
  };
}

async function crashTask(options: TaskOptions): Promise<CrashesReport> {
  const { mode, folder, kills, compiled, roundsPerKill = 8 } = options;
  const federation = await openFederation({ mode, folder, compiled, rounds: Math.max(roundsAtLeast, kills * roundsPerKill) });
  const served = servedBy(federation.url, federation.publicKey);
  const run: Run = { options, federation, served, witnessed: witness(served), spends: watchSpendLines(federation.spendFiles), receipts: watchReceipts({ ...federation, files: federation.receiptFiles }), findings: [] };
  const watching = new AbortController();
  const watch = keepLooking(run.witnessed, watching.signal);
  const totals = { kills: 0, rounds: 0, charged: 0, released: 0 };
  try {
    for (const kill of planKills(kills, { shops: federation.shops, seed: options.seed })) {
      if (!(await killOnce(run, kill))) break;
      totals.kills += 1;
      options.onKill?.(kill, totals.kills);
    }
    await until(run, 'the task to end', () => isOver(run));
    Object.assign(totals, await lookAtEnd(run));
  } catch (error) {
    run.findings.push(toCestaError(error).message);
  } finally {
    watching.abort();
    await watch;
    await federation.close();
  }
  return { ...totals, mode, answers: run.witnessed.answers, receipts: run.receipts.count, findings: [...run.findings, ...run.witnessed.findings] };
}

async function keepLooking(witnessed: Witnessed, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await witnessed.look();
    await sleep(10);
  }
}

/** @returns false, and nobody is killed, once the task is over. */
async function killOnce(run: Run, { target, shop, moment }: Kill): Promise<boolean> {
  const { federation, witnessed, spends, receipts, findings } = run;
  await reach(run, moment);
  if (await isOver(run)) return false;
  findings.push(...spends.look());
  if (target !== 'shop') await federation.killCoordinator();
  if (target !== 'coordinator') await federation.killShop(shop);
  findings.push(...spends.look(), ...receipts.look());
  if (moment.kind === 'starting') await federation.startAndKill(moment.afterMs);
  if (target !== 'shop') await federation.startCoordinator();
  if (target !== 'coordinator') await federation.startShop(shop);
  await witnessed.audit();
  findings.push(...receipts.look());
  const round = witnessed.lastRound?.number ?? 0;
  const lines = spends.count(shop);
  await until(run, `a round after ${round}`, async () => (witnessed.lastRound?.number ?? 0) > round || isOver(run));
  if (target !== 'coordinator') await until(run, `shop ${shop} to take part again`, async () => spends.count(shop) > lines || isOver(run));
  findings.push(...spends.look());
  return true;
}

/** Waits for the moment of a kill. */
async function reach({ witnessed }: Run, moment: Moment): Promise<void> {
  if (moment.kind === 'starting') return;
  const from = witnessed.lastRound?.number ?? 0;
  const end = performance.now() + momentMs;
  const isThere = ({ lastRound }: Witnessed): boolean => moment.kind === 'any' || (lastRound !== null && lastRound.number > from && lastRound.state === moment.state);
  while (!isThere(witnessed) && performance.now() < end) await sleep(2);
  await sleep(moment.afterMs);
}

async function isOver({ served }: Run): Promise<boolean> {
  return (await served.phase()) === 'over';
}

/** Patient as long as rounds go on: a slow machine is no finding. */
async function until({ options: { folder }, witnessed }: Run, what: string, holds: () => Promise<boolean>): Promise<void> {
  let end = performance.now() + patienceMs;
  let round = witnessed.lastRound?.number ?? 0;
  while (!(await holds())) {
    const now = witnessed.lastRound?.number ?? 0;
    if (now > round) [end, round] = [performance.now() + patienceMs, now];
    if (performance.now() > end) throw new CestaError('internal', `expected ${what}, or another round, within ${patienceMs / 1000} s, got none; see ${folder}`);
    await sleep(20);
  }
}

/** No round is open any more: what is left over, everywhere, has to agree to the last entry. */
async function lookAtEnd({ federation: { url, publicKey }, served, witnessed, spends, receipts, findings }: Run): Promise<Pick<CrashesReport, 'rounds' | 'charged' | 'released'>> {
  await witnessed.audit(Infinity);
  const rounds = await served.rounds(0);
  const charged = rounds.filter(({ budget }) => budget === 'committed').length;
  const released = rounds.filter(({ state }) => state === 'done').length;
  const newest = (await served.current())?.manifest.version ?? 0;
  if (newest !== released) findings.push(`releases: expected one for each of the ${released} rounds that are done, got ${newest}`);
  const reported = await served.roundsCharged();
  if (reported !== charged) findings.push(`budget: expected the ${charged} rounds that are charged, got ${reported}`);
  if (rounds.some(({ state }) => state === 'recruiting' || state === 'training')) findings.push('rounds: expected none to be open after the end, got one');
  findings.push(...spends.look(), ...spends.compare(rounds), ...receipts.look());
  const verification = await verifyRecord(url, { coordinatorKey: publicKey });
  findings.push(...verification.findings.map(({ index, reason }) => `verify: ${index === null ? '' : `entry ${index}: `}${reason}`));
  const [task] = verification.tasks;
  if (task?.charged !== charged || task.released !== released) findings.push(`record: expected ${charged} rounds charged and ${released} released, got ${task?.charged ?? 0} and ${task?.released ?? 0}`);
  return { rounds: rounds.length, charged, released };
}
