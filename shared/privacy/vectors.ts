/**
 * The brands of a statistic on its way to the wire: an unclipped vector cannot be noised, an un-noised one
 * cannot be masked, and only a masked one is sent. The brands exist at compile time alone.
 */

declare const stage: unique symbol;

/** A sum over shoppers, each clipped and put on the integer grid before the sum: its sensitivity is exact. */
export type Clipped = Int32Array & { readonly [stage]: 'clipped' };

/** A clipped sum plus the noise of the plan (none in mode `none`), in the ring Z_2^32. */
export type Noised = Int32Array & { readonly [stage]: 'noised' };

/** What leaves the shop. Without secure aggregation the mask is the identity, and the plan says so. */
export type Masked = Int32Array & { readonly [stage]: 'masked' };
