/** What a coordinator keeps of one round, in memory: the public record, its own code over a log that no disk has. */
import type { Clock } from '../../../server/clock.ts';
import { openPublicRecord } from '../../../server/ledger/public-record.ts';
import { openRoundLedger, type RoundLedger } from '../../../server/ledger/round-ledger.ts';
import type { RoundContext } from '../../../server/round-effects.ts';
import type { NodeRecord, Storage } from '../../../server/storage/storage.ts';
import { defaultTiming } from '../../../server/task-timing.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import type { SigningKey } from '../../../shared/ledger/signing-key.ts';
import { memoryLog } from './memory-log.ts';

export interface MemoryRecords {
  readonly storage: RoundContext['storage'] & Pick<Storage, 'pinNode'>;
  readonly ledger: RoundLedger;
}

/** The plan is in the record when it resolves. */
export async function openMemoryRecords(plan: Plan, key: SigningKey, clock: Clock): Promise<MemoryRecords> {
  const log = memoryLog();
  const record = await openPublicRecord({ storage: log, key });
  const nodes = new Map<string, NodeRecord>();
  const storage: MemoryRecords['storage'] = {
    startTraining: (_round, _roster, entries) => (entries === undefined ? Promise.resolve() : log.appendLog(entries)),
    // Nobody asks after the round for what is told in it.
    recordParticipants: () => Promise.resolve(),
    failRound: () => Promise.resolve(),
    spends: () => Promise.resolve([]),
    nodes: () => Promise.resolve([...nodes.values()]),
    pinNode(name, publicKey) {
      const known = nodes.get(name.toLowerCase());
      const seen = clock.date().toISOString();
      if (known === undefined) nodes.set(name.toLowerCase(), { name, publicKey, firstSeen: seen, lastSeen: seen });
      return Promise.resolve(known === undefined ? 'new' : known.publicKey === publicKey ? 'known' : 'taken');
    },
  };
  const ledger = await openRoundLedger({ record, storage, clock, quorum: 0, witnessMs: defaultTiming.witnessMs }, plan, (entries) => log.appendLog(entries), new AbortController().signal);
  return { storage, ledger };
}
