/**
 * Attacks a real coordinator over real sockets while honest shops take part in its rounds: every known misbehaviour,
 * mutated frames in every state, and floods. All is well when the process lives in bounded memory, everything is answered
 * as it should be, and the rounds of the honest go on.
 *
 * It does not show that attackers cannot spoil a sum within the bounds of the plan, nor that a machine withstands a flood
 * of packets: both are for others to prevent.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultGatewayLimits } from '../../../server/gateway/context.ts';
import { defaultIdentityLimits } from '../../../server/identity/limits.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';
import { memberCases } from './cases.ts';
import { checkEnd, releaseAfter } from './checks.ts';
import { runCases, type CaseRow } from './case-runs.ts';
import { openHostileFederation, type HostileFederation } from './federation.ts';
import { floodEnrolments, openCrowd, socketsAllowed } from './floods.ts';
import { fuzz } from './fuzz.ts';
import { memoryOf } from './process-memory.ts';
import { slowCases, strangerCases } from './stranger-cases.ts';
import type { CoordinatorProcessOptions, HostileMode } from './task.ts';

export interface HostileOptions {
  readonly mode: HostileMode;
  readonly frames: number;
  readonly seed: number;
  readonly idle: number;
  /** Keeps what the processes wrote. */
  readonly folder: string;
  readonly onProgress?: (what: string) => void;
}

/** Bytes, or null where they are not measured. */
export interface MemoryReport {
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

export interface AttackReport {
  readonly frames: number;
  readonly seconds: number;
  readonly byState: Readonly<Record<string, number>>;
  readonly byMutation: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly cases: readonly CaseRow[];
  readonly rounds: number;
  readonly memory: MemoryReport | null;
}

export interface FloodReport {
  readonly idleAsked: number;
  readonly idleOpened: number;
  readonly idleBytesPerConnection: number | null;
  readonly rounds: number;
  /** HTTP statuses of connections beyond the room there is, and beyond what one address may have. */
  readonly refusedBeyondRoom: Readonly<Record<string, number>>;
  readonly refusedBeyondAddress: Readonly<Record<string, number>>;
  readonly enrolments: Readonly<Record<string, number>>;
  readonly memory: MemoryReport | null;
}

export interface HostileReport {
  readonly mode: HostileMode;
  readonly attack: AttackReport;
  readonly flood: FloodReport;
  /** What was not as it should be, a sentence each; empty when all is well. */
  readonly findings: readonly string[];
}

/**
 * What attackers may cost beside a quiet coordinator. Each of some forty connections at a time holds a frame of 1 MB at the
 * most, a few read nothing of the 4 MB that may wait for them; the rest is what the collector of the engine leaves lying
 * before it must act, which is the larger part.
 */
const attackMemoryBytes = 384 << 20;
/** A socket that says nothing, generously: what it is in fact, the report says. */
const idleMemoryBytes = 48 << 10;
const floodMemoryBytes = 256 << 20;

const unlimited = { burst: 1e12, perSecond: 1e12 };
const wideLimits = Object.fromEntries(Object.keys(defaultIdentityLimits).map((kind) => [kind, unlimited])) as Record<keyof typeof defaultIdentityLimits, typeof unlimited>;

export async function auditHostile(options: HostileOptions): Promise<HostileReport> {
  const findings: string[] = [];
  const attack = await withFederation(options, findings, 'attacked', attackedCoordinator(options), (federation) => attackIt(options, federation, findings));
  const flood = await withFederation(options, findings, 'flooded', floodedCoordinator(options), (federation) => floodIt(options, federation, findings));
  return { mode: options.mode, attack, flood, findings };
}

/** Takes frames from one machine that it would turn away by the address, and goes on after mistakes that it would count. */
function attackedCoordinator({ mode, frames }: HostileOptions): Omit<CoordinatorProcessOptions, 'dataDir'> {
  return {
    mode, rounds: Math.min(10_000, 400 + Math.ceil(frames / 200)), behindTlsProxy: false, identityLimits: wideLimits,
    limits: { ...defaultGatewayLimits, handshakeMs: 3_000, maxStrikes: 1e9 },
  };
}

/** Room for the idle and a few more; what one address may do is as by default, but less of it. */
function floodedCoordinator(options: HostileOptions): Omit<CoordinatorProcessOptions, 'dataDir'> {
  return {
    mode: options.mode, rounds: 2_000, behindTlsProxy: true,
    identityLimits: { ...defaultIdentityLimits, connectsPerAddress: { burst: addressBurst, perSecond: 1 }, requestsPerAddress: { burst: 40, perSecond: 1 } },
    limits: { ...defaultGatewayLimits, handshakeMs: 600_000, maxConnections: roomFor(options) },
  };
}

const addressBurst = 200;
const spareConnections = 100;
/** Of connections, beyond the room and beyond one address. */
const beyond = 200;
const enrolments = 1_500;

/** For the idle, and for more than one address may have. */
function roomFor(options: HostileOptions): number {
  return Math.max(idleSockets(options), addressBurst + beyond) + spareConnections;
}

function idleSockets({ idle }: HostileOptions): number {
  return Math.max(1, Math.min(idle, socketsAllowed() - addressBurst - spareConnections - 2 * beyond));
}

async function withFederation<T>(options: HostileOptions, findings: string[], name: string, coordinator: Omit<CoordinatorProcessOptions, 'dataDir'>, act: (federation: HostileFederation) => Promise<T>): Promise<T> {
  const federation = await openHostileFederation(join(options.folder, name), coordinator);
  try {
    await releaseAfter(federation, 0);
    return await act(federation);
  } finally {
    findings.push(...(await checkEnd(federation)).map((finding) => `${name}: ${finding}`));
    await federation.close();
  }
}

async function attackIt(options: HostileOptions, federation: HostileFederation, findings: string[]): Promise<AttackReport> {
  const { mode, frames, seed, onProgress = () => undefined } = options;
  const { url, publicKey, pid, served } = federation;
  const before = memoryOf(pid);
  const first = await versionOf(federation);
  const startedAt = performance.now();
  const cases = await runCases({ url, mode, run: String(seed) }, [...memberCases, ...strangerCases, ...slowCases], served);
  for (const { name, expected, answer, roundState } of cases) {
    if (answer !== expected) findings.push(`${name}: expected ${expected}, got ${answer}`);
    if (roundState !== null && roundState !== 'done') findings.push(`${name}: expected its round to complete, and it is ${roundState}`);
  }
  onProgress(`${cases.length} cases`);
  const tally = await fuzz({ url, coordinatorKey: publicKey, mode, frames, seed, onProgress: (sent) => onProgress(`${sent} of ${frames} frames`) });
  const seconds = (performance.now() - startedAt) / 1000;
  const last = await versionOf(federation);
  if (last <= first) findings.push(`rounds: expected some to complete under attack, got none after release ${first}`);
  const memory = memoryReport(before, memoryOf(pid));
  if (memory !== null && memory.peakBytes - memory.beforeBytes > attackMemoryBytes) findings.push(`memory: expected at most ${attackMemoryBytes} bytes more under attack, got ${memory.peakBytes - memory.beforeBytes}`);
  return { frames: tally.frames, seconds, byState: Object.fromEntries(tally.byState), byMutation: Object.fromEntries(tally.byMutation), answers: Object.fromEntries(tally.answers), cases, rounds: last - first, memory };
}

async function floodIt(options: HostileOptions, federation: HostileFederation, findings: string[]): Promise<FloodReport> {
  const { url, publicKey, pid } = federation;
  const wanted = idleSockets(options);
  const first = await versionOf(federation);
  const before = memoryOf(pid);
  const crowd = await openCrowd(url, wanted);
  await releaseAfter(federation, await versionOf(federation));
  const during = memoryOf(pid);
  if (crowd.peers.length < wanted) findings.push(`idle sockets: expected ${wanted} to be let in, got ${crowd.peers.length}`);
  const room = await openCrowd(url, roomFor(options) - crowd.peers.length + beyond, (index) => `198.51.100.${index % 250}`);
  if ((room.refused.get('503') ?? 0) === 0) findings.push('connections beyond the room there is: expected 503, got none');
  await releaseAfter(federation, await versionOf(federation));
  await Promise.all([room.leave(), crowd.leave()]);
  await roomAgain(federation);
  const address = await openCrowd(url, addressBurst + beyond, () => '203.0.113.7');
  if ((address.refused.get('429') ?? 0) === 0) findings.push('connections beyond what an address may have: expected 429, got none');
  await address.leave();
  const enrolment = await floodEnrolments({ url, publicKey, dataDir: join(options.folder, 'flooded', 'coordinator'), stateDir: join(options.folder, 'flooded', 'newcomer') }, enrolments);
  if ((enrolment.answers.get('limit.rate') ?? 0) === 0) findings.push('enrolments: expected limit.rate for most, got none');
  if (enrolment.honest !== null) findings.push(`enrolments: expected an honest node to enrol meanwhile, got ${enrolment.honest}`);
  await releaseAfter(federation, await versionOf(federation));
  const memory = memoryReport(before, memoryOf(pid));
  const allowed = wanted * idleMemoryBytes + floodMemoryBytes;
  if (memory !== null && memory.peakBytes - memory.beforeBytes > allowed) findings.push(`memory: expected at most ${allowed} bytes more in a flood, got ${memory.peakBytes - memory.beforeBytes}`);
  return {
    idleAsked: options.idle,
    idleOpened: crowd.peers.length,
    idleBytesPerConnection: before === null || during === null ? null : Math.round((during.rssBytes - before.rssBytes) / crowd.peers.length),
    rounds: (await versionOf(federation)) - first,
    refusedBeyondRoom: Object.fromEntries(room.refused),
    refusedBeyondAddress: Object.fromEntries(address.refused),
    enrolments: Object.fromEntries(enrolment.answers),
    memory,
  };
}

/** The coordinator hears of closed connections one by one. */
async function roomAgain({ url }: HostileFederation): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const one = await openCrowd(url, 1, () => '192.0.2.1');
    await one.leave();
    if (one.peers.length === 1) return;
    await sleep(100);
  }
}

async function versionOf({ served }: HostileFederation): Promise<number> {
  try {
    return (await served.current())?.manifest.version ?? 0;
  } catch (error) {
    throw toCestaError(error);
  }
}

function memoryReport(before: { rssBytes: number } | null, after: { peakBytes: number } | null): MemoryReport | null {
  return before === null || after === null ? null : { beforeBytes: before.rssBytes, peakBytes: after.peakBytes };
}
