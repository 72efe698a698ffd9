/** Who may connect to `cesta serve`, and over what. */
import { hostname } from 'node:os';
import type { CoordinatorOptions } from '../../server/coordinator-options.ts';
import type { ServerTls } from '../../server/transport.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { isLoopbackHost } from '../../shared/protocol/transport.ts';
import type { ServeConfig } from './config/serve-settings.ts';
import { readPem } from './tls-options.ts';

/** What shops are told of a certificate that was made here. */
export interface SelfMade {
  readonly certPath: string;
  readonly fingerprint: string;
  readonly isNew: boolean;
}

type Transport = Pick<CoordinatorOptions, 'tls' | 'behindTlsProxy' | 'identity'> & { readonly selfMade?: SelfMade };

/** @throws CestaError `usage.invalid` for options that contradict each other; `data.not-found` for a file that cannot be read. */
export async function transportOf(config: ServeConfig): Promise<Transport> {
  const { behindTlsProxy, host, enrolment, nodesPerOrganisation } = config;
  const isLocal = isLoopbackHost(host) && !behindTlsProxy;
  requireConsistent(config);
  return {
    identity: { enrolment: enrolment ?? (isLocal ? 'open' : 'required'), nodesPerOrganisation },
    behindTlsProxy,
    ...(config.tlsSelf ? await selfMadeTls(config) : givenTls(config)),
  };
}

function requireConsistent({ tlsCert, tlsKey, tlsClientCa, tlsSelf, tlsName }: ServeConfig): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new CestaError('usage.invalid', '--tls-cert and --tls-key: expected both or none, got one');
  if (tlsSelf && tlsCert !== undefined) throw new CestaError('usage.invalid', '--tls-self: expected no --tls-cert and --tls-key with it, got both');
  if (tlsClientCa !== undefined && tlsCert === undefined && !tlsSelf) throw new CestaError('usage.invalid', '--tls-client-ca: expected --tls-cert and --tls-key, or --tls-self, with it, got none');
  if (tlsName.length > 0 && !tlsSelf) throw new CestaError('usage.invalid', '--tls-name: expected --tls-self with it, got none');
}

function givenTls(config: ServeConfig): { tls?: ServerTls } {
  const { tlsCert, tlsKey } = config;
  if (tlsCert === undefined || tlsKey === undefined) return {};
  return { tls: { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey), ...clientCaOf(config) } };
}

async function selfMadeTls(config: ServeConfig): Promise<{ tls: ServerTls; selfMade: SelfMade }> {
  const { keepSelfCertificate } = await import('../../server/self-certificate-files.ts');
  const { isCertifiable } = await import('../../server/self-certificate.ts');
  const { cert, key, ...selfMade } = keepSelfCertificate(config.dataDir, { names: namesOf(config), passingNames: [hostname().toLowerCase()].filter(isCertifiable), now: new Date() });
  return { tls: { cert, key, ...clientCaOf(config) }, selfMade };
}

function clientCaOf({ tlsClientCa }: ServeConfig): { clientCa?: string } {
  return tlsClientCa === undefined ? {} : { clientCa: readPem('--tls-client-ca', tlsClientCa) };
}

/** What this machine is to itself, and the address listened on unless it stands for all of them. */
function namesOf({ tlsName, host }: ServeConfig): string[] {
  return [...new Set(['localhost', '127.0.0.1', '::1', ...(host === '0.0.0.0' || host === '::' ? [] : [host]), ...tlsName])];
}
