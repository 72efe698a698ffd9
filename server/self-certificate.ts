/**
 * A certificate that the coordinator makes itself (RFC 5280), for federations without an authority: ECDSA P-256, its own
 * issuer, good for the names and addresses in it and for nothing that others sign. Shops are given the file, and trust
 * it as they would an authority, but for these names alone. It cannot be revoked: whoever has the key is the coordinator until it has run out.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { CestaError } from '../shared/protocol/errors.ts';

export interface SelfCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateTerms {
  /** Host names and addresses under which shops reach the coordinator; at least one. */
  readonly names: readonly string[];
  /** Put in beside them, and not missed later: the name of a machine or a container may change at every start. */
  readonly passingNames?: readonly string[];
  readonly now: Date;
}

/** The longest that clients accept of a server's certificate. */
const validDays = 825;
/** So many before its end it is replaced. */
const renewalDays = 30;
const dayMs = 86_400_000;
/** Clocks of shops may be behind ours. */
const skewMs = 3_600_000;

const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  extendedKeyUsage: '551d25',
  subjectAltName: '551d11',
  serverAuth: '2b06010505070301',
} as const;

/** Whether a certificate can be for it: a host name or an address. */
export function isCertifiable(name: string): boolean {
  return isIP(name) !== 0 || (name.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name));
}

/** @throws CestaError `config.invalid` for what is neither a host name nor an address. */
export function makeSelfCertificate({ names, passingNames = [], now }: CertificateTerms): SelfCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(object(oid.ecdsaWithSha256));
  const name = sequence(set(sequence(object(oid.commonName), der(0x0c, Buffer.from('Cesta coordinator')))));
  // Positive, and without a leading zero byte.
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40;
  const notBefore = new Date(now.getTime() - skewMs);
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(serial),
    algorithm,
    name,
    sequence(time(notBefore), time(new Date(notBefore.getTime() + validDays * dayMs - 1_000))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(
      // No authority: whoever trusts it trusts it for these names only, even if its key is stolen.
      extension(oid.basicConstraints, true, sequence()),
      // digitalSignature.
      extension(oid.keyUsage, true, der(0x03, Buffer.of(7, 0x80))),
      extension(oid.extendedKeyUsage, false, sequence(object(oid.serverAuth))),
      extension(oid.subjectAltName, false, sequence(...[...new Set([...names, ...passingNames])].map(generalName))),
    )),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return { cert: pem(sequence(toBeSigned, algorithm, der(0x03, Buffer.of(0), signature))), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Whether the certificate is this key's, good for all these names, and not about to run out. */
export function isStillGood({ cert, key }: SelfCertificate, { names, now }: CertificateTerms): boolean {
  const { parsed, privateKey } = parse(cert, key);
  const until = Date.parse(parsed.validTo) - renewalDays * dayMs;
  return parsed.checkPrivateKey(privateKey) && Date.parse(parsed.validFrom) <= now.getTime() && now.getTime() < until
    && names.every((name) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name)) !== undefined);
}

function parse(cert: string, key: string): { parsed: X509Certificate; privateKey: KeyObject } {
  try {
    return { parsed: new X509Certificate(cert), privateKey: createPrivateKey(key) };
  } catch (cause) {
    throw new CestaError('storage.failed', 'tls: expected the certificate and the key that were made here, got damaged files; remove both to make new ones', { cause });
  }
}

/** SHA-256 of the certificate, as browsers and openssl show it. */
export function fingerprintOf(cert: string): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('hex').toUpperCase().replaceAll(/(..)(?=.)/g, '$1:');
}

/** One element of DER: tag, length, contents. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), contents]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
const object = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const integer = (bytes: Uint8Array): Buffer => der(0x02, bytes);

function extension(id: string, isCritical: boolean, value: Uint8Array): Buffer {
  return sequence(object(id), ...(isCritical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

/** UTCTime until 2049, GeneralizedTime afterwards (RFC 5280, 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function generalName(name: string): Buffer {
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIP(name) === 6) return der(0x87, addressBytes(name));
  if (!isCertifiable(name)) throw new CestaError('config.invalid', `tls name: expected a host name or an address, got ${JSON.stringify(name)}`);
  return der(0x82, Buffer.from(name));
}

/** Sixteen bytes; the URL parser knows all ways to write them. */
function addressBytes(name: string): Buffer {
  const text = new URL(`http://[${name}]`).hostname.slice(1, -1);
  const [head, tail = ''] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}
