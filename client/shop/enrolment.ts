/**
 * A shop's identity towards its coordinator: enrolment by a token, renewal, and the hand-over to a new key. Every answer is
 * checked before it is kept: a certificate counts only for this key and shop, under the coordinator's signature.
 *
 * Security: at first contact the coordinator's key is taken from its own word, as at the first connect; give the key that
 * the operator told you to be sure of it. Over TLS the first contact is as good as the server's certificate.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { checkCertificateSignature, checkCertificateTerms, type SignedCertificate } from '../../shared/identity/certificate.ts';
import { certificateAnswerSchema, handOver, tokenSchema } from '../../shared/identity/requests.ts';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { hexToBytes } from '../../shared/protocol/digest.ts';
import type { EnvelopeType } from '../../shared/protocol/envelope.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { requireSecureAddress } from '../../shared/protocol/transport.ts';
import { addressBelow, getDocument, parseJson, type Fetch } from '../http.ts';
import { nonceSecurely } from '../secure-random.ts';
import { keepCertificate, readCertificate } from './certificate-file.ts';
import { request } from './outbox.ts';
import { storageErrors, syncFolder } from './spend-ledger.ts';
import { writeDurably } from './durable-file.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';

export interface NodeOptions {
  readonly shop: string;
  readonly stateDir: string;
  readonly coordinator: URL;
  /** The coordinator's key, 32 bytes in hex; without it, the pinned one, or at first contact its own word. */
  readonly coordinatorKey?: string;
  readonly fetch?: Fetch;
  /** Unix milliseconds. */
  readonly dateMs?: () => number;
}

/**
 * Enrols the shop's key with a token of the operator, makes the key at first use, and keeps the certificate.
 * @throws CestaError `enrolment.*` and other refusals of the coordinator, `coordinator.untrusted`, `network.unreachable`
 * @example
 * await enrolNode({ shop: 'corner-shop', stateDir: '.cesta/shops', coordinator: new URL('https://cesta.example.org'), token });
 */
export async function enrolNode(options: NodeOptions & { readonly token: string }): Promise<SignedCertificate> {
  if (!tokenSchema.safeParse(options.token).success) throw new CestaError('enrolment.token-invalid', `token: expected 64 lower-case hexadecimal digits, got ${options.token.length} characters`);
  const state = openStateFolder(options.stateDir, options.shop);
  return certify(options, state, { key: state.key, type: 'enrol', body: () => ({ token: options.token, shop: options.shop }) });
}

/** Asks for a new certificate of the same key. @throws CestaError as `enrolNode` */
export async function renewNode(options: NodeOptions): Promise<SignedCertificate> {
  const state = openStateFolder(options.stateDir, options.shop);
  return certify(options, state, { key: state.key, type: 'renew', body: () => ({}) });
}

export interface Rotated {
  readonly from: string;
  readonly certificate: SignedCertificate;
}

/**
 * Hands the shop over to a new key, signed by the old one. The new key is on disk before it is named to anybody, and takes
 * the place of the old one only when the coordinator accepted it: run it again if it was interrupted.
 * @throws CestaError `enrolment.required` and other refusals; the old key then stays.
 */
export async function rotateKey(options: NodeOptions): Promise<Rotated> {
  const state = openStateFolder(options.stateDir, options.shop);
  const next = nextKey(state);
  const body = (coordinatorKey: string): Json => handOver(next, state.key.publicKey, coordinatorKey);
  const certificate = await certify(options, state, { key: next, type: 'rotate', body, then: () => putInPlace(state) });
  return { from: state.key.publicKey, certificate };
}

/**
 * Throws the key away and makes a new one: after a revocation, or when the old key is not trusted any more. Nobody is told:
 * the shop has to be enrolled again.
 * @returns the public keys before and after
 */
export function replaceKey(stateDir: string, shop: string): { readonly from: string; readonly to: string } {
  const state = openStateFolder(stateDir, shop);
  const path = nextPath(state);
  // A key left by an interrupted hand-over may be known to the coordinator already.
  storageErrors(path, () => rmSync(path, { force: true }));
  const { publicKey } = nextKey(state);
  putInPlace(state);
  return { from: state.key.publicKey, to: publicKey };
}

const nextPath = ({ path }: StateFolder): string => join(path, 'shop.key.next');

function nextKey(state: StateFolder): SigningKey {
  const path = nextPath(state);
  return storageErrors(path, () => {
    if (!existsSync(path)) writeDurably(path, state.path, `${nonceSecurely()}\n`);
    const secret = readFileSync(path, 'utf8').trim();
    if (!/^[0-9a-f]{64}$/.test(secret)) throw new CestaError('storage.failed', `${path}: expected 32 bytes in lower-case hex, got other text`);
    return signingKey(hexToBytes(secret));
  });
}

function putInPlace(state: StateFolder): void {
  storageErrors(state.path, () => {
    renameSync(nextPath(state), join(state.path, 'shop.key'));
    syncFolder(state.path);
  });
}

function correspondent({ coordinator, fetch, dateMs }: NodeOptions, { path, key }: StateFolder): { folder: string; key: SigningKey; coordinator: URL; fetch?: Fetch; dateMs?: () => number } {
  return { folder: path, key, coordinator, ...(fetch === undefined ? {} : { fetch }), ...(dateMs === undefined ? {} : { dateMs }) };
}

/** A request that is answered with a certificate. */
interface CertificateRequest {
  /** The key to be certified. */
  readonly key: SigningKey;
  readonly type: EnvelopeType;
  readonly body: (coordinatorKey: string) => Json;
  /** What follows once the certificate is kept. */
  readonly then?: () => void;
}

/** Asks, checks the certificate that is answered, keeps it, and pins the coordinator whose key it proved. */
async function certify(options: NodeOptions, state: StateFolder, { key, type, body, then }: CertificateRequest): Promise<SignedCertificate> {
  const coordinatorKey = await coordinatorKeyOf(options, state);
  return request({ ...correspondent(options, state), coordinatorKey }, type, body(coordinatorKey), async (answer) => {
    const parsed = certificateAnswerSchema.safeParse(answer);
    if (!parsed.success) throw new CestaError('protocol.malformed', `answer: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
    const { certificate } = parsed.data;
    checkCertificateTerms(certificate, { node: key.publicKey, shop: options.shop, atMs: options.dateMs?.() ?? Date.now() });
    await checkCertificateSignature(certificate, coordinatorKey);
    keepCertificate(state, certificate);
    if (state.coordinatorKey === null) state.pinCoordinator(coordinatorKey);
    then?.();
    return certificate;
  });
}

const federationSchema = z.object({ publicKey: z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex') });

async function coordinatorKeyOf({ coordinator, coordinatorKey, fetch = globalThis.fetch }: NodeOptions, state: StateFolder): Promise<string> {
  const pinned = state.coordinatorKey ?? coordinatorKey ?? null;
  if (coordinatorKey !== undefined && pinned !== coordinatorKey) throw new CestaError('coordinator.untrusted', `coordinator key: expected ${coordinatorKey}, got ${pinned ?? 'none'} pinned in ${state.path}`);
  if (pinned !== null) return pinned;
  requireSecureAddress('coordinator', coordinator);
  const url = addressBelow(coordinator, '.well-known/cesta.json');
  const document = await getDocument(fetch, url);
  const parsed = federationSchema.safeParse(document === null ? null : parseJson(document.bytes, url));
  if (!parsed.success) throw new CestaError('protocol.malformed', `${url}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data.publicKey;
}

/** Time left below which a certificate is renewed: a month of outages may pass before it matters. */
const renewBeforeMs = 30 * 86_400_000;

/** Whether there is a certificate, and little enough time left. */
export function isRenewalDue(state: Pick<StateFolder, 'path' | 'key'>, nowMs: number): boolean {
  const certificate = readCertificate(state);
  return certificate !== null && Date.parse(certificate.cert.notAfter) - nowMs < renewBeforeMs;
}
