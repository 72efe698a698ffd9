/** `cesta keys`: the key of a shop node, and what may be done with it. */
import { Argument, type Command } from 'commander';
import { fingerprintOf } from '../../shared/identity/fingerprint.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { httpUrl, publicKey } from './options.ts';
import { print } from './output.ts';
import { addTlsOptions, fetchOver, type TlsOptions } from './tls-options.ts';

interface KeysOptions extends TlsOptions {
  shop: string;
  stateDir: string;
  coordinator?: URL;
  coordinatorKey?: string;
  json?: boolean;
}

const actions = ['show', 'renew', 'rotate', 'replace'] as const;
type Action = (typeof actions)[number];

export function addKeys(program: Command): void {
  addTlsOptions(
    program
      .command('keys')
      .description('show the key of a shop (made at first use), renew its certificate, or exchange it; stop the node for that')
      .addArgument(new Argument('[action]', 'rotate: the old key hands over to a new one; replace: a new key that has to be enrolled').choices(actions).default('show'))
      .requiredOption('--shop <name>', 'name of this shop in the federation')
      .option('--state-dir <folder>', 'where this shop keeps its key', '.cesta/shops')
      .option('--coordinator <url>', 'where the coordinator listens (renew, rotate)', httpUrl)
      .option('--coordinator-key <hex>', 'the key to expect (default: the one seen first is kept)', publicKey),
  )
    .option('--json', 'print one JSON object')
    .action(keys);
}

async function keys(action: Action, options: KeysOptions): Promise<void> {
  switch (action) {
    case 'show':
      return show(options);
    case 'renew': {
      const { renewNode } = await import('../../client/shop/enrolment.ts');
      const { cert } = await renewNode(await nodeOptions(options));
      return print(options, cert, `${cert.shop}: certificate renewed until ${cert.notAfter}`);
    }
    case 'rotate': {
      const { rotateKey } = await import('../../client/shop/enrolment.ts');
      const { from, certificate: { cert } } = await rotateKey(await nodeOptions(options));
      return print(options, { from, to: cert.node, certificate: cert }, `${cert.shop}: handed over to a new key\n${describe(cert.node)}\nThe old key ${from} is retired.`);
    }
    case 'replace': {
      const { replaceKey } = await import('../../client/shop/enrolment.ts');
      const { from, to } = replaceKey(options.stateDir, options.shop);
      return print(options, { from, to }, `${options.shop}: has a new key\n${describe(to)}\nAsk the operator to revoke ${from} and for a token, then run \`cesta enrol\`.`);
    }
    default:
      return action satisfies never;
  }
}

async function show(options: KeysOptions): Promise<void> {
  const { openStateFolder } = await import('../../client/shop/state-folder.ts');
  const { readCertificate } = await import('../../client/shop/certificate-file.ts');
  const state = openStateFolder(options.stateDir, options.shop);
  const { publicKey: key } = state.key;
  const cert = readCertificate(state)?.cert ?? null;
  const enrolment = cert === null ? 'not enrolled' : `enrolled for ${cert.organisation} until ${cert.notAfter}`;
  print(options, { shop: options.shop, publicKey: key, fingerprint: fingerprintOf(key), coordinatorKey: state.coordinatorKey, certificate: cert }, `${options.shop}: ${enrolment}\n${describe(key)}`);
}

function describe(key: string): string {
  return `Key ${key}\nFingerprint ${fingerprintOf(key)}`;
}

async function nodeOptions(options: KeysOptions): Promise<{ shop: string; stateDir: string; coordinator: URL; coordinatorKey?: string }> {
  const { shop, stateDir, coordinator, coordinatorKey } = options;
  if (coordinator === undefined) throw new CestaError('usage.invalid', '--coordinator: expected the address of the coordinator, got none');
  return { shop, stateDir, coordinator, ...(coordinatorKey === undefined ? {} : { coordinatorKey }), ...(await fetchOver(options)) };
}
