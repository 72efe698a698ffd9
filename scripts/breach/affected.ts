/** Which rounds and nodes a breach may concern: from the journal of a data folder, held against its public record. */
import { openJournalReader } from '../../server/storage/journal-reader.ts';
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

/**
 * Rounds that were open at or after `since`, and the nodes that were in them or seen since.
 * @throws CestaError `config.invalid`, `storage.failed`
 */
export async function affectedSince({ dataDir, database }: JournalPlace, since: string, known: readonly NodeStatus[]): Promise<Affected> {
  const journal = await openJournalReader(dataDir, database);
  try {
    const { db } = journal;
    const rows = await db.selectFrom('rounds').selectAll().where((where) => where.or([where('ended_at', 'is', null), where('ended_at', '>=', since)])).orderBy('opened_at').execute();
    const members = await db.selectFrom('participants').select(['round', 'participant', 'node']).where('round', 'in', rows.length === 0 ? [''] : rows.map(({ id }) => id)).execute();
    const spends = new Map((await db.selectFrom('spends').select(['round', 'epsilon', 'state']).execute()).map((spend) => [spend.round, spend]));
    const entries = await db.selectFrom('log_entries').select(['position', 'bytes']).orderBy('position').execute();
    const rosters = rostersOf(entries);
    const rounds = rows.map(({ id, task, state, opened_at: openedAt, ended_at: endedAt }): BreachRound => {
      const keys = members.filter(({ round }) => round === id).map(({ node }) => node);
      const roster = rosters.get(id) ?? null;
      const spend = spends.get(id);
      return {
        task, round: id, state, openedAt, endedAt, participants: keys.length,
        epsilon: spend?.state === 'committed' ? spend.epsilon : null,
        record: roster === null ? null : { position: roster.position, isProven: membersOf(keys).root === roster.root },
      };
    });
    return { rounds, nodes: nodesOf(known, members, since) };
  } finally {
    await journal.close();
  }
}

function rostersOf(entries: readonly { readonly position: number; readonly bytes: string }[]): Map<string, Roster> {
  return new Map(entries.flatMap(({ position, bytes }): [string, Roster][] => {
    const entry = decodeEntry(Buffer.from(bytes, 'base64'));
    if (entry.type !== 'roster') return [];
    const { round, members }: LogEntryOf<'roster'> = entry;
    return [[round, { position, root: members.root }]];
  }));
}

function nodesOf(known: readonly NodeStatus[], members: readonly { readonly round: string; readonly node: string }[], since: string): BreachNode[] {
  const roundsOf = (key: string): string[] => members.filter(({ node }) => node === key).map(({ round }) => round);
  return known
    .map(({ name, publicKey, organisation, lastSeen, enrolment, connected }) => ({ node: { name, publicKey, organisation, lastSeen, rounds: roundsOf(publicKey), isRevoked: enrolment === 'revoked' }, isHere: connected !== 'no' }))
    .filter(({ node, isHere }) => isHere || node.rounds.length > 0 || (node.lastSeen ?? '') >= since)
    .map(({ node }) => node);
}
