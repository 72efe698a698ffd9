/**
 * Data bound to what it may be used for. Only the gate here makes it, and it opens by degree: what was let through to improve a
 * model has another type than what may be counted, so that passing one for the other does not compile.
 */
import { permits, type Degree, type Purpose } from './consent.ts';

declare const purposeOf: unique symbol;

export type DataFor<P extends Purpose, T> = T & { readonly [purposeOf]: P };

/**
 * The data, for this purpose; null where the degree does not permit it.
 * @example dataFor('improve', degree, visits)
 */
export function dataFor<P extends Purpose, T extends object>(purpose: P, degree: Degree, data: T): DataFor<P, T> | null {
  return permits(degree, purpose) ? (data as DataFor<P, T>) : null;
}
