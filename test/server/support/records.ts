/** Public records in memory. */
import { openPublicRecord, type PublicRecord } from '../../../server/ledger/public-record.ts';
import { memoryLog, type LogStorage } from '../../../scripts/simulate/messages/memory-log.ts';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import type { NoteKey } from '../../../shared/ledger/signed-note.ts';

export { memoryLog };

export const recordKey: SigningKey = signingKey(new Uint8Array(32).fill(3));

export function memoryRecord(storage: LogStorage = memoryLog(), witnesses: readonly NoteKey[] = []): Promise<PublicRecord> {
  return openPublicRecord({ storage, key: recordKey, witnesses });
}
