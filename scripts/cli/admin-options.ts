/** Options of the verbs that act as an operator, over the session that `cesta login` keeps. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { AdminClient, AdminTarget } from '../admin-client.ts';
import { httpUrl } from './options.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

export interface AdminOptions extends TlsOptions {
  coordinator?: URL;
  json?: boolean;
}

export function addAdminOptions(command: Command): Command {
  return addTlsOptions(command.option('--coordinator <url>', 'where the coordinator listens (default: the only one logged in to)', httpUrl))
    .option('--json', 'print one JSON object');
}

/** Sessions are kept in `CESTA_HOME`, by default `.cesta` in the user's folder. */
export async function targetOf(options: AdminOptions): Promise<AdminTarget> {
  const { cestaHome, openSessionsFile } = await import('../sessions-file.ts');
  return { coordinator: options.coordinator, sessions: openSessionsFile(cestaHome()), ...(await fetchOver(options)) };
}

export async function adminOf(options: AdminOptions): Promise<AdminClient> {
  const { openAdminClient } = await import('../admin-client.ts');
  return openAdminClient(await targetOf(options));
}

/** Rows under a head, or a word about there being none. */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | number | null)[])[], none: string): string {
  if (rows.length === 0) return none;
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push(row.map((cell) => (cell === null ? '-' : String(cell))));
  return table.toString();
}
