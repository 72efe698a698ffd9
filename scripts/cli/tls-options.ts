/** TLS options of the verbs that speak to a coordinator: private authorities, and mutual TLS. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ClientTls } from '../../client/shop/tls.ts';
import type { Fetch } from '../../client/http.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface TlsOptions {
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

export function addTlsOptions(command: Command): Command {
  return command
    .option('--tls-ca <file>', 'authority (PEM) that signed the coordinator\'s certificate (default: the system\'s)')
    .option('--tls-cert <file>', 'certificate (PEM) to show where the coordinator asks for one')
    .option('--tls-key <file>', 'its key (PEM)');
}

/** A file that an option names. @throws CestaError `data.not-found` */
export function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CestaError('data.not-found', `${option}: expected a file that can be read, got ${file}`, { cause });
  }
}

/** Null when no option is given. */
export function readTls({ tlsCa, tlsCert, tlsKey }: TlsOptions): ClientTls | null {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return null;
  return {
    ...(tlsCa === undefined ? {} : { ca: readPem('--tls-ca', tlsCa) }),
    ...(tlsCert === undefined ? {} : { cert: readPem('--tls-cert', tlsCert) }),
    ...(tlsKey === undefined ? {} : { key: readPem('--tls-key', tlsKey) }),
  };
}

/** `{ fetch }` over these options, or nothing where the platform's own will do. */
export async function fetchOver(options: TlsOptions): Promise<{ fetch?: Fetch }> {
  const tls = readTls(options);
  if (tls === null) return {};
  const { tlsFetch } = await import('../../client/shop/tls.ts');
  return { fetch: tlsFetch(tls) };
}
