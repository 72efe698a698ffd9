/** `cesta revoke`: the operator withdraws the key of a node. */
import { Option, type Command } from 'commander';
import { revocationReasons, type RevocationReason } from '../../shared/identity/requests.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { httpUrl, publicKey } from './options.ts';
import { print } from './output.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

interface RevokeOptions extends TlsOptions {
  coordinator: URL;
  dataDir: string;
  shop?: string;
  node?: string;
  reason: RevocationReason;
  json?: boolean;
}

export function addRevoke(program: Command): void {
  addTlsOptions(
    program
      .command('revoke')
      .description('withdraw the key of a node: it is cut off and refused from then on (for operators)')
      .requiredOption('--coordinator <url>', 'where the coordinator listens', httpUrl)
      .option('--data-dir <folder>', 'the coordinator\'s folder, for its key', '.cesta/coordinator')
      .option('--shop <name>', 'whose key')
      .option('--node <hex>', 'which key', publicKey)
      .addOption(new Option('--reason <reason>', 'why').choices(revocationReasons).makeOptionMandatory()),
  )
    .option('--json', 'print one JSON object')
    .action(revoke);
}

async function revoke(options: RevokeOptions): Promise<void> {
  const { revokeNode } = await import('../operator.ts');
  const { coordinator, dataDir, reason } = options;
  const revoked = await revokeNode({ coordinator, dataDir, ...(await fetchOver(options)) }, targetOf(options), reason);
  print(options, revoked, `${revoked.shop ?? 'node'}: the key ${revoked.node} is revoked (${revoked.reason})`);
}

function targetOf({ shop, node }: RevokeOptions): { node: string } | { shop: string } {
  if (node !== undefined && shop === undefined) return { node };
  if (shop !== undefined && node === undefined) return { shop };
  throw new CestaError('usage.invalid', `--shop or --node: expected one of them, got ${shop === undefined ? 'none' : 'both'}`);
}
