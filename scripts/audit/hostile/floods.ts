/**
 * More of everything than there is room for: idle sockets, connections and enrolments. The flood comes from many
 * addresses, as a proxy would report them; honest shops come from their own and must not notice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enrolNode } from '../../../client/shop/enrolment.ts';
import { nodesPath } from '../../../shared/identity/requests.ts';
import { encodeEnvelope, sealEnvelope } from '../../../shared/protocol/envelope.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';
import { errorSchema } from '../../../server/http/schemas.ts';
import { issueToken } from '../../operator.ts';
import { countIn } from './fuzz.ts';
import { dial, shopNamed, type Peer } from './peer.ts';

/** Sockets a process needs beside those it is asked to hold. */
const otherFiles = 300;

/** How many sockets this process may hold; Infinity where the system does not say. */
export function socketsAllowed(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Infinity : Number(limit) - otherFiles;
  } catch {
    return Infinity;
  }
}

const addressOf = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

/** Handshakes at a time. */
const atOnce = 64;
const connectionsPerAddress = 100;

export interface Crowd {
  readonly peers: readonly Peer[];
  /** HTTP statuses of those that were refused. */
  readonly refused: ReadonlyMap<string, number>;
  leave(): Promise<void>;
}

/** Opens connections that say nothing. @param address of the i-th */
export async function openCrowd(url: URL, count: number, address: (index: number) => string = (index) => addressOf(Math.floor(index / connectionsPerAddress))): Promise<Crowd> {
  const peers: Peer[] = [];
  const refused = new Map<string, number>();
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) {
      const index = (next += 1) - 1;
      try {
        peers.push(await dial(url, { forwardedFor: address(index) }));
      } catch (error) {
        countIn(refused, error instanceof Error ? error.message : 'error');
      }
    }
  }));
  return {
    peers,
    refused,
    async leave() {
      for (const peer of peers) peer.hangUp();
      await Promise.all(peers.map(({ closed }) => closed));
    },
  };
}

export interface EnrolmentFlood {
  /** Codes of the refusals. */
  readonly answers: ReadonlyMap<string, number>;
  /** What kept an honest node from enrolling meanwhile, or null. */
  readonly honest: string | null;
}

interface FloodedCoordinator {
  readonly url: URL;
  readonly publicKey: string;
  readonly dataDir: string;
  readonly stateDir: string;
}

/** Asks for enrolment with tokens and signatures that are worth nothing, while one node has a token that is. */
export async function floodEnrolments(coordinator: FloodedCoordinator, requests: number): Promise<EnrolmentFlood> {
  const { url, publicKey } = coordinator;
  const answers = new Map<string, number>();
  let next = 0;
  const flood = Promise.all(Array.from({ length: 16 }, async () => {
    while (next < requests) {
      const index = (next += 1);
      // A third each: one address that never stops, many that ask a few times, and texts that are no envelope.
      const address = index % 3 === 0 ? '203.0.113.9' : addressOf(index >> 5);
      countIn(answers, await post(url, address, index % 3 === 2 ? '{"header":' : worthless(publicKey, index)));
    }
  }));
  const honest = await enrolHonestly(coordinator);
  await flood;
  return { answers, honest };
}

/** Signed by a key of its own, and every other time by none. */
function worthless(coordinator: string, index: number): string {
  const { shop, key } = shopNamed(`flood-${index}`);
  const envelope = sealEnvelope(key, { type: 'enrol', body: { token: 'a'.repeat(64), shop }, seq: 1, ts: Date.now(), coordinator });
  return encodeEnvelope(index % 2 === 0 ? envelope : { ...envelope, signature: 'b'.repeat(128) });
}

async function post(url: URL, address: string, body: string): Promise<string> {
  try {
    const response = await fetch(new URL(nodesPath, url), { method: 'POST', body, headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address } });
    const parsed = errorSchema.safeParse(await response.json());
    return parsed.success ? parsed.data.error.code : `HTTP ${response.status}`;
  } catch {
    return 'no answer';
  }
}

async function enrolHonestly({ url, publicKey, dataDir, stateDir }: FloodedCoordinator): Promise<string | null> {
  try {
    const { token } = await issueToken({ coordinator: url, dataDir }, 'honest', 1);
    await enrolNode({ shop: 'honest-newcomer', stateDir: join(stateDir, 'honest-newcomer'), coordinator: url, coordinatorKey: publicKey, token });
    return null;
  } catch (error) {
    return toCestaError(error).message;
  }
}
