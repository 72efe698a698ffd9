/**
 * A release: the parameters of a model as a tensor file whose metadata carries a signed manifest. The
 * signature covers the manifest, and the manifest names the digest of every tensor, so one check vouches for
 * all. The address of a release is the SHA-256 of the whole file.
 */
import { $ZodError } from 'zod/v4/core';
import * as z from 'zod/mini';
import { verifySignature } from '../ledger/signature.ts';
import type { SigningKey } from '../ledger/signing-key.ts';
import { modelKinds } from '../recommender/federated-model.ts';
import { precisions } from '../recommender/quantised-rows.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { sha256Hex } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { protocolVersion } from '../protocol/version.ts';
import { decodeTensors, encodeTensors, tensorsDigest, type NamedTensors } from '../protocol/tensors.ts';
import { backendKinds } from '../tensors/backend-kinds.ts';
import { robustRules } from './robust/rule.ts';

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.positive());
const jsonSchema: z.ZodMiniType<Json> = z.json();

/** What the shoppers of the federation were promised for this release, in numbers and in words. */
const privacyStatementSchema = z.strictObject({
  mode: z.enum(['none', 'local', 'distributed']),
  unit: z.string(),
  adjacency: z.string(),
  /** Spent by the task up to and including this release; null where nothing is promised. */
  epsilon: z.nullable(z.number().check(z.nonnegative())),
  delta: z.nullable(z.number().check(z.gt(0), z.lt(1))),
  /** Standard deviation of the noise in the sum, in units of the clip norm. */
  noiseStd: z.number().check(z.nonnegative()),
  clipNorm: z.nullable(z.number().check(z.positive())),
  assumptions: z.array(z.string()),
});

export const manifestSchema = z.strictObject({
  protocol: z.literal(protocolVersion),
  task: z.string(),
  version: count,
  round: z.string(),
  createdAt: z.iso.datetime(),
  model: z.strictObject({ kind: z.enum(modelKinds), hyperParameters: z.record(z.string(), jsonSchema) }),
  catalogueHash: digest,
  planHash: digest,
  /** Shops in the sum. */
  cohort: count,
  /**
   * Contributions in the sum, as released: shoppers, or shops where `privacy.unit` is the shop; noisy under privacy. Where
   * they are weighted, as `privacy.assumptions` says then, the sum of their weights. The shoppers of shops that are one
   * contribution each are not counted.
   */
  shoppers: z.number().check(z.positive()),
  /** The rule that combined `reports` rows, made to withstand `byzantine` of them; absent where reports were added up. */
  robust: z.optional(z.strictObject({ rule: z.enum(robustRules), byzantine: count, reports: count })),
  privacy: privacyStatementSchema,
  /** Reports of the round's members by the backend of TensorFlow.js they were computed on; absent where none needed it. */
  trainedOn: z.optional(z.partialRecord(z.enum(backendKinds), count)),
  /** Public figures of the release itself; none of them looks at a shopper. */
  metrics: z.record(z.string(), z.number()),
  /** Clip norm of the model's part of a contribution in the next round; null where it does not adapt. */
  nextClipNorm: z.nullable(z.number().check(z.positive())),
  /** Digest over the names, shapes and bytes of the tensors. */
  tensorsSha256: digest,
  /** Address of the release this one was trained from. */
  parent: z.nullable(digest),
  /**
   * The version whose parameters these are, sealed anew to be served again: what else the manifest says is of that
   * release, but for version and time. Absent from the release that a round ended with.
   */
  restores: z.optional(count),
  /**
   * What this file is a form of, to rank with and never to train from: what else the manifest says is of that release, but
   * for the digest of the tensors. Absent from releases themselves.
   */
  servingForm: z.optional(z.strictObject({ of: digest, precision: z.enum(precisions) })),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type PrivacyStatement = Manifest['privacy'];

/** The version under which the parameters were first sealed: two releases with the same one rank alike. */
export function originOf({ version, restores }: Pick<Manifest, 'version' | 'restores'>): number {
  return restores ?? version;
}

const releaseDomain = 'cesta/release/v1\n';

function statement(manifest: string): Uint8Array {
  return new TextEncoder().encode(releaseDomain + manifest);
}

/** A release as it is stored and served. */
export interface SealedRelease {
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`: content address and strong ETag. */
  readonly sha256: string;
}

/** Signs and packs a release. Everything the manifest says but the tensors' digest is the caller's. */
export function sealRelease(manifest: Omit<Manifest, 'protocol' | 'tensorsSha256'>, tensors: NamedTensors, key: SigningKey): SealedRelease {
  const full: Manifest = { ...manifest, protocol: protocolVersion, tensorsSha256: tensorsDigest(tensors) };
  const text = canonicalJson(full);
  const bytes = encodeTensors(tensors, { manifest: text, signature: key.sign(statement(text)), publicKey: key.publicKey });
  return { manifest: full, bytes, sha256: sha256Hex(bytes) };
}

/** A release whose signature and digests have been checked. */
export interface OpenedRelease {
  readonly manifest: Manifest;
  readonly tensors: NamedTensors;
  readonly publicKey: string;
}

/**
 * Checks a release from outside: signature by `trustedKey`, manifest, digest of the tensors.
 * @throws CestaError `release.untrusted` saying which check failed.
 */
export async function openRelease(bytes: Uint8Array, trustedKey: string): Promise<OpenedRelease> {
  const file = untrustedOnError(() => decodeTensors(bytes));
  const { manifest: text = '', signature = '', publicKey = '' } = file.metadata;
  if (publicKey !== trustedKey) throw untrusted(`key: expected ${trustedKey}, got ${publicKey === '' ? 'none' : publicKey}`);
  if (!(await verifySignature(publicKey, signature, statement(text)))) throw untrusted('signature: expected one that verifies over the manifest');
  const manifest = untrustedOnError(() => manifestSchema.parse(JSON.parse(text)));
  const content = file.contentDigest();
  if (content !== manifest.tensorsSha256) throw untrusted(`tensors: expected digest ${manifest.tensorsSha256}, got ${content}`);
  return { manifest, tensors: file.tensors, publicKey };
}

function untrusted(what: string, cause?: unknown): CestaError {
  return new CestaError('release.untrusted', `release: ${what}`, { cause });
}

function untrustedOnError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw untrusted(cause instanceof $ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause), cause);
  }
}
