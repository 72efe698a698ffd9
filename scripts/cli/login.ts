/** `cesta login` and `cesta logout`: the session that the operator's other verbs act under. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { emptySchema } from '../../server/http/admin-schemas.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { addAdminOptions, targetOf, type AdminOptions } from './admin-options.ts';
import { ask } from './ask.ts';
import { httpUrl } from './options.ts';
import { print } from './output.ts';
import { addTlsOptions, type TlsOptions } from './tls-options.ts';

interface LoginOptions extends TlsOptions {
  tokenFile?: string;
  code?: string;
  json?: boolean;
}

export function addLogin(program: Command): void {
  addTlsOptions(
    program
      .command('login')
      .description('log in as an operator: 12 hours, or until half an hour goes by without use')
      .argument('<url>', 'the coordinator', httpUrl)
      .option('--token-file <file>', 'the token (default: CESTA_ADMIN_TOKEN, else it is asked for)')
      .option('--code <digits>', 'what the authenticator shows (default: it is asked for)'),
  )
    .option('--json', 'print one JSON object')
    .action(login);
  addAdminOptions(program.command('logout').description('end the session of an operator')).action(logout);
}

async function login(coordinator: URL, options: LoginOptions): Promise<void> {
  const { logIn } = await import('../admin-client.ts');
  const token = readToken(options.tokenFile) ?? (await ask('Token', { hidden: true, instead: '--token-file or CESTA_ADMIN_TOKEN' }));
  const code = options.code ?? (await ask('Code', { hidden: false, instead: '--code' }));
  const { operator, expiresAt } = await logIn({ ...(await targetOf(options)), coordinator }, { token, code: code.replaceAll(' ', '') });
  print(options, { coordinator: coordinator.href, operator, expiresAt }, `Logged in to ${coordinator.href} as ${operator} until ${expiresAt}`);
}

function readToken(file: string | undefined): string | null {
  if (file === undefined) return process.env['CESTA_ADMIN_TOKEN'] ?? null;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new CestaError('data.not-found', `--token-file: expected a file that can be read, got ${file}`, { cause });
  }
}

async function logout(options: AdminOptions): Promise<void> {
  const { openAdminClient } = await import('../admin-client.ts');
  const target = await targetOf(options);
  const client = openAdminClient(target);
  try {
    await client.call('DELETE', '/sessions', emptySchema);
  } catch (error) {
    // It ended by itself.
    if (toCestaError(error).code !== 'admin.unauthorised') throw error;
  } finally {
    // Whether or not the coordinator answers: who logs out leaves nothing behind here.
    target.sessions.drop(client.coordinator);
  }
  print(options, { coordinator: client.coordinator.href }, `Logged out of ${client.coordinator.href}`);
}
