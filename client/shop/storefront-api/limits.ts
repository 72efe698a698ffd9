/**
 * How often one party may ask a shop node. Addresses and digests of secrets are in memory for as long as they matter to a
 * limit, and nowhere else. The shop's own backend, which asks for all its shoppers, is not held to the limits of an address.
 */
import type { Request } from 'express';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { createTokenBuckets, type BucketLimits } from '../../../shared/protocol/token-buckets.ts';
import { addressOf } from './address.ts';
import { secretDigest } from './consent-book.ts';
import { isBackend, secretOf } from './middleware.ts';

/** @throws CestaError `limit.rate`, and what else speaks against the request */
export type Charge = (request: Request) => void;

export function chargeByAddress(what: string, limits: BucketLimits, { token, behindTlsProxy }: { readonly token: string; readonly behindTlsProxy: boolean }): Charge {
  const buckets = createTokenBuckets(limits, () => performance.now());
  return (request) => {
    if (!isBackend(request, token) && !buckets.take(addressOf(request, behindTlsProxy))) throw new CestaError('limit.rate', `${what}: expected fewer requests from one address`);
  };
}

/** For what must always be open to a shopper: nobody behind the same address can use it up. */
export function chargeBySecret(limits: BucketLimits): Charge {
  const buckets = createTokenBuckets(limits, () => performance.now());
  return (request) => {
    if (!buckets.take(secretDigest(secretOf(request)))) throw new CestaError('limit.rate', 'Authorization: expected fewer requests with one secret');
  };
}
