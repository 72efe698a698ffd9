/**
 * The degree of personalisation a shopper chose, and what it lets the data be used for. The filter stands at
 * the start of the data path: what it holds back is never part of a history.
 */

/** 0 off · 1 this visit · 2 this device · 3 help improve (joins private training). */
export const degrees = [0, 1, 2, 3] as const;
export type Degree = (typeof degrees)[number];

/** What stored data may be used for. */
export type Purpose = 'recommend' | 'improve' | 'measure';

/** Whether data of a shopper with this degree may serve the purpose. */
export function permits(degree: Degree, purpose: Purpose): boolean {
  switch (purpose) {
    case 'recommend':
      return degree >= 1;
    case 'improve':
    case 'measure':
      return degree === 3;
    default:
      return purpose satisfies never;
  }
}
