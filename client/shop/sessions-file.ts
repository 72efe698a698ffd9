/** The masked sessions a shop has answered, so that none is ever answered twice: one id a line. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CestaError } from '../../shared/protocol/errors.ts';
import { writeDurably } from './durable-file.ts';
import { storageErrors } from './spend-ledger.ts';

/** Sessions that are remembered: their coordinator is long done with older ones. */
const keptSessions = 1_000;

/** Durable when it returns. @throws CestaError `secagg.aborted` for a session that was answered before, `storage.failed` */
export function recordRelease(folder: string, sessionId: string): void {
  const path = join(folder, 'sessions');
  storageErrors(path, () => {
    const sessions = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    if (sessions.includes(sessionId)) throw new CestaError('secagg.aborted', `session ${sessionId}: expected to be answered once, and it was before`);
    writeDurably(path, folder, `${[...sessions, sessionId].slice(-keptSessions).join('\n')}\n`);
  });
}
