/** `cesta token`: the operator lets one node enrol. */
import type { Command } from 'commander';
import { httpUrl, integerIn } from './options.ts';
import { print } from './output.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

interface TokenOptions extends TlsOptions {
  coordinator: URL;
  dataDir: string;
  organisation: string;
  ttl: number;
  json?: boolean;
}

export function addToken(program: Command): void {
  addTlsOptions(
    program
      .command('token')
      .description('make a token that enrols one node of an organisation, once (for operators)')
      .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl)
      .requiredOption('--organisation <name>', 'who answers for the node: the same name for all nodes of one owner')
      .option('--data-dir <folder>', 'the coordinator\'s folder, for its key', '.cesta/coordinator')
      .option('--ttl <hours>', 'how long it may be used', integerIn(1, 720), 24),
  )
    .option('--json', 'print one JSON object')
    .action(token);
}

async function token(options: TokenOptions): Promise<void> {
  const { issueToken } = await import('../operator.ts');
  const { coordinator, dataDir, organisation, ttl } = options;
  const issued = await issueToken({ coordinator, dataDir, ...(await fetchOver(options)) }, organisation, ttl);
  print(options, issued, `Token ${issued.token}\nfor one node of ${organisation}, once, until ${issued.expiresAt}. It is shown only now:\n  cesta enrol ${coordinator.href} --token ... --shop NAME`);
}
