/**
 * What the public record says, one canonical JSON object per leaf. Shops appear by key only, shoppers not at all: a log
 * cannot forget, so nothing may enter it that a person could ask to have erased.
 */
import * as z from 'zod';
import { privacyEventsSchema, type PrivacyEvent } from '../privacy/accounting/events.ts';
import { composedRdp } from '../privacy/accounting/rdp.ts';
import { ledgerOrders } from '../privacy/budget.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { bytesToHex, hexToBytes, sha256Hex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { placeOf } from './equivocation.ts';
import { createMerkleTree, leafHash } from './merkle-tree.ts';
import { verifySignature } from './signature.ts';
import { maxEntryBytes } from './tiles.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex');
const publicKey = digest;
const taskName = z.string().min(1).max(64);
const roundId = z.string().min(1).max(96);
const count = z.number().int().positive();
const rdp = z.number().nonnegative().nullable();

/** Every entry about a round names its plan, so that none can be moved to other terms. */
const ofRound = { task: taskName, round: roundId, planHash: digest };

/** A set of shops: the Merkle root over their sorted keys, and how many. Whoever knows the set can check it. */
const members = z.strictObject({ root: digest, count });

/** Of a round in groups: the members of each that is left, by its number in the draw. */
const groups = z.array(z.strictObject({ group: z.number().int().min(0), root: digest, count })).min(1).optional();

/** Bytes that a key signed, and the signature. */
const signedStatement = z.strictObject({ statement: z.string().regex(/^(?:[0-9a-f]{2}){1,8192}$/), signature: z.string().regex(/^[0-9a-f]{128}$/) });

export const logEntrySchema = z.discriminatedUnion('type', [
  /** The terms of a round. In the log before anybody is invited. */
  z.strictObject({ type: z.literal('round-plan'), plan: z.looseObject({ task: taskName, round: roundId }), planHash: digest }),
  /** Who trains: fixed when training starts. */
  z.strictObject({ type: z.literal('roster'), ...ofRound, members, groups }),
  /** What a round costs, charged before anybody is told to train. */
  z.strictObject({
    type: z.literal('budget-spend'),
    ...ofRound,
    events: privacyEventsSchema,
    /** RDP of the task up to and with this round, at these orders; null for an infinite one. */
    cumulative: z.strictObject({ orders: z.array(z.number().gt(1)).min(1).max(64), rdp: z.array(rdp).min(1).max(64) }),
  }),
  /** Members of the round whose reports are in the sum; late reports to older plans are counted in the release's manifest. */
  z.strictObject({ type: z.literal('survivors'), ...ofRound, members, groups }),
  /** The release of a round: SHA-256 of its file. It is served from here on, unless it is held back as a candidate. */
  z.strictObject({ type: z.literal('round-result'), ...ofRound, version: count, release: digest, held: z.literal(true).optional() }),
  /** What is served from here on: a release that was held back, or the parameters of an older one under a new version. */
  z.strictObject({
    type: z.literal('release-served'),
    task: taskName,
    version: count,
    release: digest,
    /** Version of the round's release whose parameters these are. */
    restores: count.optional(),
    change: z.enum(['promotion', 'rollback']),
    reason: z.enum(['operator', 'gate']),
  }),
  z.strictObject({ type: z.literal('node-enrolled'), node: publicKey }),
  z.strictObject({ type: z.literal('node-revoked'), node: publicKey, reason: z.enum(['retired', 'compromised', 'expelled']) }),
  /** Two different statements that a node signed where it may sign one. */
  z.strictObject({ type: z.literal('equivocation'), node: publicKey, round: roundId, first: signedStatement, second: signedStatement }),
]);

export type LogEntry = Readonly<z.infer<typeof logEntrySchema>>;
export type LogEntryOf<Type extends LogEntry['type']> = Extract<LogEntry, { readonly type: Type }>;

/** The bytes of a leaf. @throws CestaError `protocol.too-large` beyond what a bundle can carry. */
export function encodeEntry(entry: LogEntry): Uint8Array {
  const bytes = new TextEncoder().encode(canonicalJson(entry));
  if (bytes.length > maxEntryBytes) throw new CestaError('protocol.too-large', `log entry ${entry.type}: expected at most ${maxEntryBytes} bytes, got ${bytes.length}`);
  return bytes;
}

/**
 * Reads a leaf. Other bytes for the same entry are refused: they would let one fact appear twice.
 * @throws CestaError `protocol.malformed`
 */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new CestaError('protocol.malformed', 'log entry: expected JSON in UTF-8, got other bytes', { cause });
  }
  const parsed = logEntrySchema.safeParse(value);
  if (!parsed.success) throw new CestaError('protocol.malformed', `log entry: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  if (canonicalJson(parsed.data) !== text) throw new CestaError('protocol.malformed', 'log entry: expected canonical JSON');
  return parsed.data;
}

/** SHA-256 of a plan's canonical JSON, as `planHash` of the federation computes it. */
export function hashOfPlan(plan: unknown): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson(plan)));
}

/** @param plan the plan of a round, as its participants get it */
export function planEntry(plan: { readonly task: string; readonly round: string }): LogEntryOf<'round-plan'> {
  // Through JSON: an entry is what its bytes say, without undefined fields.
  const json = JSON.parse(canonicalJson(plan)) as { task: string; round: string; [key: string]: Json };
  return { type: 'round-plan', plan: json, planHash: hashOfPlan(plan) };
}

/** The set of shops with these keys (hex). Order and repetition do not matter. */
export function membersOf(publicKeys: readonly string[]): LogEntryOf<'roster'>['members'] {
  const keys = [...new Set(publicKeys)].sort();
  const tree = createMerkleTree();
  for (const key of keys) tree.append(leafHash(Uint8Array.from(hexToBytes(key))));
  return { root: bytesToHex(tree.root()), count: keys.length };
}

/** Long-term keys (hex) of the members of one group. */
export interface GroupKeys {
  readonly group: number;
  readonly nodes: readonly string[];
}

/** Who is in a round, and in which of its groups. @param groups where it has any: together, they are `nodes` */
export function membersByGroup(nodes: readonly string[], groups: readonly GroupKeys[] | null): Pick<LogEntryOf<'roster'>, 'members' | 'groups'> {
  const members = membersOf(nodes);
  return groups === null ? { members } : { members, groups: groups.map(({ group, nodes: keys }) => ({ group, ...membersOf(keys) })) };
}

/** Cumulative RDP at {@link ledgerOrders} after `events` on top of `before`. */
export function cumulate(before: readonly (number | null)[], events: readonly PrivacyEvent[]): (number | null)[] {
  return ledgerOrders.map((order, i) => {
    const sum = (before[i] ?? Infinity) + composedRdp(events, order);
    return Number.isFinite(sum) ? sum : null;
  });
}

export interface RoundRef {
  readonly task: string;
  readonly round: string;
  readonly planHash: string;
}

/** @param before cumulative RDP of the task until now: zeros at its first round */
export function spendEntry({ task, round, planHash }: RoundRef, events: readonly PrivacyEvent[], before: readonly (number | null)[]): LogEntryOf<'budget-spend'> {
  return { type: 'budget-spend', task, round, planHash, events, cumulative: { orders: [...ledgerOrders], rdp: cumulate(before, events) } };
}

/** Whether both statements of an equivocation were signed by the node it accuses, and may not stand beside each other. */
export async function isProven({ node, first, second }: LogEntryOf<'equivocation'>): Promise<boolean> {
  const signed = await Promise.all([first, second].map(({ statement, signature }) => verifySignature(node, signature, Uint8Array.from(hexToBytes(statement)))));
  const [place, other] = [first, second].map(({ statement }) => placeOf(hexToBytes(statement)));
  return first.statement !== second.statement && place !== null && place === other && signed.every(Boolean);
}
