/**
 * Token buckets, one for each key: a burst is let through, what follows waits for the refill. Bounded in memory: buckets
 * that are full again are forgotten, and when strangers bring more keys than there is room for, the oldest go first. Room is
 * made for many at a time, since looking through all of them for each new key would be a lever.
 */
export interface BucketLimits {
  /** Let through at once after a pause. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface TokenBuckets {
  /** Whether one more would be let through; costs nothing. */
  has(key: string): boolean;
  /** Takes one; false when there is none. */
  take(key: string): boolean;
}

interface Bucket {
  tokens: number;
  at: number;
}

const maxKeys = 10_000;
const roomFor = 1_000;

/** @param now milliseconds that only ever rise */
export function createTokenBuckets({ burst, perSecond }: BucketLimits, now: () => number): TokenBuckets {
  const buckets = new Map<string, Bucket>();
  const tokensOf = (bucket: Bucket | undefined, at: number): number => (bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * perSecond));

  function makeRoom(at: number): void {
    for (const [key, bucket] of buckets) if (tokensOf(bucket, at) >= burst) buckets.delete(key);
    for (const key of buckets.keys()) {
      if (buckets.size <= maxKeys - roomFor) return;
      buckets.delete(key);
    }
  }

  return {
    has: (key) => tokensOf(buckets.get(key), now()) >= 1,
    take(key) {
      const at = now();
      const tokens = tokensOf(buckets.get(key), at);
      if (tokens < 1) return false;
      if (!buckets.has(key) && buckets.size >= maxKeys) makeRoom(at);
      buckets.set(key, { tokens: tokens - 1, at });
      return true;
    },
  };
}
