/** Which rounds and nodes a breach may concern: from the journal of a data folder, held against its public record. */
import { openJournalReader, type BareJournal } from '../../server/storage/journal-reader.ts';
import type { NodeStatus } from '../../server/admin/nodes.ts';
import { decodeEntry, membersOf, type LogEntryOf } from '../../shared/ledger/log-entries.ts';
import type { BreachNode, BreachRound } from '../../shared/policy/breach.ts';

export interface JournalPlace {
  readonly dataDir: string;
  readonly database?: string | undefined;
}

export interface Affected {
  readonly rounds: readonly BreachRound[];
  readonly nodes: readonly BreachNode[];
}

interface Roster {
  readonly position: number;
  readonly root: string;
}

export interface AffectedReader {
  /** Rounds that were open at or after `since`, and the nodes that were in them or seen since. @throws CestaError `storage.failed` */
  since(since: string, known: readonly NodeStatus[]): Promise<Affected>;
  close(): Promise<void>;
}

/** Reads one row, so that a wrong address shows here. @throws CestaError `config.invalid`, `storage.failed` */
export async function openAffectedReader({ dataDir, database }: JournalPlace): Promise<AffectedReader> {
  const journal = await openJournalReader(dataDir, database);
  const { db } = journal;
  try {
    await db.selectFrom('rounds').select('id').limit(1).execute();
  } catch (error) {
    await journal.close();
    throw error;
  }
  return { close: () => journal.close(), since: (since, known) => affectedSince(db, since, known) };
}

async function affectedSince(db: BareJournal['db'], since: string, known: readonly NodeStatus[]): Promise<Affected> {
  const recent = db.selectFrom('rounds').where((where) => where.or([where('ended_at', 'is', null), where('ended_at', '>=', since)]));
  const rows = await recent.selectAll().orderBy('opened_at').execute();
  const members = await recent.innerJoin('participants', 'participants.round', 'rounds.id').select(['participants.round', 'participants.node']).execute();
  const keysOf = grouped(members.map(({ round, node }) => [round, node]));
  const spends = new Map((await db.selectFrom('spends').select(['round', 'epsilon', 'state']).execute()).map((spend) => [spend.round, spend]));
  const rosters = rostersOf(await db.selectFrom('log_entries').select(['position', 'bytes']).orderBy('position').execute());
  const rounds = rows.map(({ id, task, state, opened_at: openedAt, ended_at: endedAt }): BreachRound => {
    const keys = keysOf.get(id) ?? [];
    const roster = rosters.get(id) ?? null;
    const spend = spends.get(id);
    return {
      task, round: id, state, openedAt, endedAt, participants: keys.length,
      epsilon: spend?.state === 'committed' ? spend.epsilon : null,
      record: roster === null ? null : { position: roster.position, isProven: membersOf(keys).root === roster.root },
    };
  });
  return { rounds, nodes: nodesOf(known, grouped(members.map(({ round, node }) => [node, round])), since) };
}

function grouped(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return groups;
}

function rostersOf(entries: readonly { readonly position: number; readonly bytes: string }[]): Map<string, Roster> {
  return new Map(entries.flatMap(({ position, bytes }): [string, Roster][] => {
    const entry = decodeEntry(Buffer.from(bytes, 'base64'));
    if (entry.type !== 'roster') return [];
    const { round, members }: LogEntryOf<'roster'> = entry;
    return [[round, { position, root: members.root }]];
  }));
}

function nodesOf(known: readonly NodeStatus[], roundsOf: ReadonlyMap<string, readonly string[]>, since: string): BreachNode[] {
  return known
    .map(({ name, publicKey, organisation, lastSeen, enrolment, connected }) => ({ node: { name, publicKey, organisation, lastSeen, rounds: roundsOf.get(publicKey) ?? [], isRevoked: enrolment === 'revoked' }, isHere: connected !== 'no' }))
    .filter(({ node, isHere }) => isHere || node.rounds.length > 0 || (node.lastSeen ?? '') >= since)
    .map(({ node }) => node);
}
