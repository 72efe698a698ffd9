/** The certificates of the fixtures, as PEM texts and as files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type TlsFile = 'ca.crt' | 'server.crt' | 'server.key' | 'client.crt' | 'client.key';

export function tlsFile(name: TlsFile): string {
  return fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
}

export function pem(name: TlsFile): string {
  return readFileSync(tlsFile(name), 'utf8');
}

export const serverTls = { cert: pem('server.crt'), key: pem('server.key') };
export const clientTls = { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') };
