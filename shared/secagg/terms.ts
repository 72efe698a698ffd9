/**
 * The terms of a masked round. Every side computes their hash from what it holds itself (its plan, its model), and
 * all signatures and keys are bound to it: whoever was given another plan or another model is in another round, and
 * masks do not cancel between rounds (Pasquini et al. 2022).
 */
import * as z from 'zod';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { protocolName, labelledHash } from './labels.ts';
import { mostPoints } from './shamir.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');

/** Of three, all would have to stay, and shares would help nobody. The privacy plan asks for more than this. */
export const fewestParticipants = 4;

/** What numbers of members and bitmaps of them are made for; complete graphs have room for fewer, as the field of the shares has. */
export const mostParticipants = 1 << 20;

/** Every component of removable noise is one more vector for each participant to draw, and one more share for each neighbour. */
export const mostComponents = 1000;

/** The smallest ring, 2^16: a coordinate takes two bytes. */
export const fewestRingBits = 16;

const groupSchema = z.strictObject({
  /** From 0. */
  index: z.number().int().min(0),
  groups: z.number().int().min(2),
  /** Digest of the members that the groups were drawn from. */
  drawnFrom: hash,
}).refine(({ index, groups }) => index < groups, 'index: expected less than groups');

export type GroupTerms = Readonly<z.infer<typeof groupSchema>>;

const noiseSchema = z.strictObject({
  /** Dropouts beyond these would leave too little noise, so nothing is revealed. */
  tolerated: z.number().int().min(0).max(mostParticipants),
  /** Dropouts that one component makes up for; absent: one. */
  dropoutStep: z.number().int().min(1).max(mostParticipants).optional(),
}).refine((noise) => componentsFor(noise) <= mostComponents, `dropoutStep: expected at most ${mostComponents} components for all that are tolerated`);

export const termsSchema = z.strictObject({
  protocol: z.literal(protocolName),
  /** Unique in the federation. */
  round: z.string().min(1).max(128),
  planHash: hash,
  /** Digest of the parameters that the vectors were computed from. */
  modelHash: hash,
  /** Ed25519 key that signs the roster and the survivor set. */
  coordinatorKey: hash,
  length: z.number().int().min(1).max(1 << 28),
  modulusBits: z.number().int().min(fewestRingBits).max(32),
  /** Fewer survivors than this and no sum is revealed. */
  minParticipants: z.number().int().min(fewestParticipants).max(mostParticipants),
  graph: z.discriminatedUnion('kind', [
    /** Everyone shares a mask with everyone: up to some 200 participants. */
    z.strictObject({ kind: z.literal('complete') }),
    /** Neighbours on a random circle, for larger cohorts (Bell et al. 2020). */
    z.strictObject({
      kind: z.literal('harary'),
      /** Share of participants that may collude with the coordinator. */
      corruptFraction: z.number().min(0).lt(1),
      /** Share that may drop out. */
      dropoutFraction: z.number().min(0).lt(1),
      /** -log2 of the chance that the graph is insecure; a coordinator that tries graphs wins log2 of its tries. */
      securityBits: z.number().int().min(20).max(128),
    }),
  ]),
  /** Removable noise: see noise-chain. */
  noise: noiseSchema.nullable(),
  /** Of a round in groups: whose sum this is. Nothing said in one group counts in another. */
  group: groupSchema.optional(),
}).refine(({ graph, minParticipants }) => graph.kind === 'harary' || minParticipants <= mostPoints, `minParticipants: expected at most ${mostPoints} with a complete graph`);

export type Terms = Readonly<z.infer<typeof termsSchema>>;

/** @throws CestaError `secagg.invalid` naming the field. */
export function parseTerms(value: unknown): Terms {
  const parsed = termsSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('secagg.invalid', `terms: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** Terms never change, and every entry of a roster is checked against their hash. */
const hashes = new WeakMap<Terms, Uint8Array>();

export function termsHash(terms: Terms): Uint8Array {
  const known = hashes.get(terms) ?? labelledHash('terms', canonicalJson(terms));
  hashes.set(terms, known);
  return known;
}

/** Components of removable noise that make up for so many dropouts; the last may be of fewer than `dropoutStep`. */
export function componentsFor({ tolerated, dropoutStep = 1 }: { readonly tolerated: number; readonly dropoutStep?: number | undefined }): number {
  return Math.ceil(tolerated / dropoutStep);
}

/** How many components of removable noise there are. */
export function componentsOf({ noise }: Pick<Terms, 'noise'>): number {
  return noise === null ? 0 : componentsFor(noise);
}
