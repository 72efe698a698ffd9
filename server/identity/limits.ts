/**
 * How often an address, a node and an organisation may come. Addresses are charged before anything is looked at; nodes
 * and organisations only once they have proven who they are, so that nobody can use up the share of somebody else.
 */
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import { createTokenBuckets, type BucketLimits, type TokenBuckets } from '../../shared/protocol/token-buckets.ts';

export interface IdentityLimits {
  readonly connectsPerAddress: BucketLimits;
  readonly connectsPerNode: BucketLimits;
  readonly connectsPerOrganisation: BucketLimits;
  readonly requestsPerAddress: BucketLimits;
  readonly loginsPerAddress: BucketLimits;
  readonly requestsPerNode: BucketLimits;
  readonly requestsPerOrganisation: BucketLimits;
}

/** Many shops may share one address, and after a restart of the coordinator all of them come back at once. */
export const defaultIdentityLimits: IdentityLimits = {
  connectsPerAddress: { burst: 1_000, perSecond: 10 },
  connectsPerNode: { burst: 20, perSecond: 0.5 },
  connectsPerOrganisation: { burst: 60, perSecond: 1 },
  requestsPerAddress: { burst: 100, perSecond: 2 },
  loginsPerAddress: { burst: 10, perSecond: 0.1 },
  requestsPerNode: { burst: 50, perSecond: 0.5 },
  requestsPerOrganisation: { burst: 100, perSecond: 1 },
};

export type LimitKind = keyof IdentityLimits;

export interface Limiter {
  /** @throws CestaError `limit.rate` when nothing is left; costs nothing. */
  check(kind: LimitKind, key: string): void;
  /** @throws CestaError `limit.rate` */
  charge(kind: LimitKind, key: string): void;
}

export function createLimiter(limits: Partial<IdentityLimits>, clock: Pick<Clock, 'now'>): Limiter {
  const all = { ...defaultIdentityLimits, ...limits };
  const buckets = new Map<LimitKind, TokenBuckets>();
  for (const kind of Object.keys(all) as LimitKind[]) buckets.set(kind, createTokenBuckets(all[kind], () => clock.now()));
  const refuse = (kind: LimitKind): never => {
    const { burst, perSecond } = all[kind];
    throw new CestaError('limit.rate', `${kind}: expected at most ${burst} at once and ${perSecond} a second, got more`);
  };
  return {
    check: (kind, key) => (buckets.get(kind)?.has(key) === true ? undefined : refuse(kind)),
    charge: (kind, key) => (buckets.get(kind)?.take(key) === true ? undefined : refuse(kind)),
  };
}
