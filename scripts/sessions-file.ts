/**
 * Where the command line keeps its sessions between two commands: one file that only its owner reads, with one session for
 * each coordinator. What is in it acts for the operator until it ends, so it is worth as much care as a key.
 */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../client/shop/durable-file.ts';
import { storageErrors } from '../client/shop/spend-ledger.ts';
import { CestaError } from '../shared/protocol/errors.ts';

const sessionSchema = z.strictObject({ session: z.string(), operator: z.string(), expiresAt: z.iso.datetime() });
const fileSchema = z.record(z.string(), sessionSchema);

export type KeptSession = Readonly<z.infer<typeof sessionSchema>>;

export interface SessionsFile {
  /** By the address of the coordinator. */
  all(): ReadonlyMap<string, KeptSession>;
  keep(coordinator: URL, session: KeptSession): void;
  drop(coordinator: URL): void;
}

/** `CESTA_HOME`, or `.cesta` in the user's folder. */
export function cestaHome(): string {
  const home = process.env['CESTA_HOME'] ?? '';
  return home === '' ? join(homedir(), '.cesta') : home;
}

/** The same coordinator has the same address, with or without a slash at its end. */
export function addressKey(coordinator: URL): string {
  return coordinator.href.replace(/\/+$/, '');
}

/** Every function @throws CestaError `storage.failed` when the file is damaged, or readable by others. */
export function openSessionsFile(home: string): SessionsFile {
  const path = join(home, 'sessions.json');
  const all = (): Map<string, KeptSession> => storageErrors(path, () => readAll(path));
  const write = (sessions: ReadonlyMap<string, KeptSession>): void => storageErrors(path, () => {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeDurably(path, home, `${JSON.stringify(Object.fromEntries(sessions), null, 2)}\n`);
  });
  return {
    all,
    keep: (coordinator, session) => write(all().set(addressKey(coordinator), session)),
    drop(coordinator) {
      const sessions = all();
      if (sessions.delete(addressKey(coordinator))) write(sessions);
    },
  };
}

function readAll(path: string): Map<string, KeptSession> {
  if (!existsSync(path)) return new Map();
  // Windows has no such modes: access is then the folder's business.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new CestaError('storage.failed', `sessions: expected mode 600 on ${path}, got ${(statSync(path).mode & 0o777).toString(8)}; log out everywhere, or remove the file`);
  }
  const parsed = fileSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new CestaError('storage.failed', `sessions: expected what this command wrote in ${path}, got ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return new Map(Object.entries(parsed.data));
}
