/** `cesta enrol`: a shop takes part under a certificate of its coordinator. */
import { Option, type Command } from 'commander';
import { httpUrl, publicKey } from './options.ts';
import { print } from './output.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

interface EnrolOptions extends TlsOptions {
  token: string;
  shop: string;
  stateDir: string;
  coordinatorKey?: string;
  json?: boolean;
}

export function addEnrol(program: Command): void {
  addTlsOptions(
    program
      .command('enrol')
      .description('enrol a shop with a token of the operator; run it again if it was interrupted')
      .argument('<url>', 'the coordinator', httpUrl)
      .addOption(new Option('--token <hex>', 'what the operator gave you').env('CESTA_TOKEN').makeOptionMandatory())
      .requiredOption('--shop <name>', 'name of this shop in the federation')
      .option('--state-dir <folder>', 'where this shop keeps its key', '.cesta/shops')
      .option('--coordinator-key <hex>', 'the key to expect (default: the one seen first is kept)', publicKey),
  )
    .option('--json', 'print one JSON object')
    .action(enrol);
}

async function enrol(coordinator: URL, options: EnrolOptions): Promise<void> {
  const { enrolNode } = await import('../../client/shop/enrolment.ts');
  const { token, shop, stateDir, coordinatorKey } = options;
  const { cert } = await enrolNode({ token, shop, stateDir, coordinator, ...(coordinatorKey === undefined ? {} : { coordinatorKey }), ...(await fetchOver(options)) });
  print(options, cert, `${cert.shop}: enrolled for ${cert.organisation} until ${cert.notAfter}`);
}
