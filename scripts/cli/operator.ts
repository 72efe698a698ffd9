/** `cesta operator`: who may act as an operator, and what was done. */
import type { Command } from 'commander';
import { actionsSchema, credentialsSchema, emptySchema, operatorsSchema } from '../../server/http/admin-schemas.ts';
import { addAdminOptions, adminOf, tableOf, type AdminOptions } from './admin-options.ts';
import { httpUrl, integerIn } from './options.ts';
import { describeCredentials, print } from './output.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

interface ResetOptions extends TlsOptions {
  coordinator: URL;
  dataDir: string;
  name: string;
  json?: boolean;
}

export function addOperator(program: Command): void {
  const operator = program.command('operator').description('list, add or remove operators, give one new credentials, or read what they did');
  addAdminOptions(operator.command('list').description('the operators in force')).action(async (options: AdminOptions) => {
    const answer = await (await adminOf(options)).call('GET', '/operators', operatorsSchema);
    print(options, answer, tableOf(['operator', 'since'], answer.operators.map(({ name, createdAt }) => [name, createdAt]), ''));
  });
  addAdminOptions(operator.command('add').description('make an operator; its credentials are shown once').argument('<name>')).action(async (name: string, options: AdminOptions) => {
    const credentials = await (await adminOf(options)).call('POST', '/operators', credentialsSchema, { name });
    print(options, credentials, describeCredentials(credentials));
  });
  addAdminOptions(operator.command('remove').description('withdraw an operator, and its sessions; never the last').argument('<name>')).action(async (name: string, options: AdminOptions) => {
    await (await adminOf(options)).call('DELETE', `/operators/${encodeURIComponent(name)}`, emptySchema);
    print(options, { name }, `Operator ${name} is removed`);
  });
  addTlsOptions(
    operator
      .command('reset')
      .description('new credentials for an operator who lost them, or one more operator, by the coordinator\'s own key')
      .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl)
      .option('--data-dir <folder>', 'the coordinator\'s folder, for its key', '.cesta/coordinator')
      .option('--name <name>', 'which operator', 'admin'),
  )
    .option('--json', 'print one JSON object')
    .action(reset);
  addAdminOptions(operator.command('log').description('what operators did, newest first'))
    .option('--before <number>', 'only older ones', integerIn(1, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'how many', integerIn(1, 100), 20)
    .action(log);
}

async function reset(options: ResetOptions): Promise<void> {
  const { resetOperator } = await import('../operator.ts');
  const { coordinator, dataDir, name } = options;
  const credentials = await resetOperator({ coordinator, dataDir, ...(await fetchOver(options)) }, name);
  print(options, credentials, describeCredentials(credentials));
}

async function log(options: AdminOptions & { before?: number; limit: number }): Promise<void> {
  const { before, limit } = options;
  const page = await (await adminOf(options)).call('GET', `/actions?limit=${limit}${before === undefined ? '' : `&before=${before}`}`, actionsSchema);
  const rows = page.actions.map(({ number, at, operator, action, target, outcome }) => [number, at, operator, action, target, outcome ?? 'unknown']);
  const more = page.next === null ? [] : [`Older ones: --before ${page.next}`];
  print(options, page, [tableOf(['number', 'when', 'who', 'what', 'of what', 'outcome'], rows, 'Nothing was done yet.'), ...more].join('\n'));
}
