/**
 * What the findings say, and whether they are as they should be: the plain upload must fall to the row-change attack,
 * and a secure sum with distributed noise must leave it nothing to speak of, even where one item is known beforehand.
 * Membership is not judged: noise bounds it by epsilon and does not end it, and the lines say how far it goes.
 */
import type { AttackFindings } from '../../../shared/evaluation/attacks/suite.ts';
import type { Measured } from '../../../shared/evaluation/attacks/measures.ts';
import type { Setting, SettingKind } from './settings.ts';

export interface Verdict {
  readonly pass: boolean;
  /** One sentence a line. */
  readonly lines: readonly string[];
}

type JudgedRow = Setting & AttackFindings;

/** The row-change attack takes at least so much from a plain upload; no attack on items takes more than so much from a protected sum. */
export const leastPlainAdvantage = 0.95;
export const mostProtectedAdvantage = 0.05;

/** @param rows All settings: at least one of each kind. */
export function judge(rows: readonly JudgedRow[]): Verdict {
  const of = (kind: SettingKind): JudgedRow[] => rows.filter((row) => row.kind === kind);
  const [[plain], [clipped], [masked], sums, noised, both] = (['plain', 'clipped', 'masked', 'sum', 'noise', 'protected'] as const).map(of);
  const advantage = (row: JudgedRow): number => row.rowAdvantage.value;
  // NaN must not pass: both are asked as what should hold.
  const isCaught = advantage(plain) >= leastPlainAdvantage;
  const gained = (row: JudgedRow): number => Math.max(advantage(row), row.linkedAdvantage.value);
  const isProtected = both.every((row) => gained(row) <= mostProtectedAdvantage);
  const largest = sums.reduce((a, b) => (b.participants > a.participants ? b : a));
  const worst = both.reduce((a, b) => (gained(b) > gained(a) ? b : a));
  const areas = (some: readonly JudgedRow[], area: (row: JudgedRow) => Measured): string => some.map((row) => twoDigits(area(row).value)).join(', ');
  const epsilons = noised.map(({ epsilon }) => epsilon).join(', ');
  return {
    pass: isCaught && isProtected,
    lines: [
      `Control: a plain upload gives the row-change attack ${twoDigits(advantage(plain))} of what there is to learn: ${isCaught ? 'caught' : `NOT CAUGHT, expected at least ${leastPlainAdvantage}`}.`,
      `Clip and row cap bound what one shopper can do to a model; alone they hide nothing (${twoDigits(advantage(clipped))}).`,
      `A masked upload is random words: row change ${twoDigits(advantage(masked))}, membership ${twoDigits(masked.memberArea.value)} (a coin: .50).`,
      `A secure sum alone hides who, the better the more are summed: at ${sums.map(({ participants }) => participants).join(', ')} participants row change is ${sums.map((row) => twoDigits(advantage(row))).join(', ')},`,
      `  but ${sums.map((row) => twoDigits(row.linkedAdvantage.value)).join(', ')} where the attacker knows one item. It does not hide whether: membership is ${twoDigits(largest.memberArea.value)} in a sum of ${largest.participants}, ${twoDigits(largest.subtractionArea.value)} where the attacker knows the others.`,
      `Noise hides whether, as far as epsilon says: at ${epsilons} membership is ${areas(noised, ({ subtractionArea }) => subtractionArea)} where the attacker knows the others, in an upload and in a sum.`,
      `Both together leave row change at most ${gained(worst).toFixed(3)}, one item known or not (${worst.name}): ${isProtected ? 'as it should be' : `TOO MUCH, expected at most ${mostProtectedAdvantage}`}.`,
    ],
  };
}

/** Without a sign before zero. */
export function twoDigits(value: number): string {
  // Adding zero turns -0 into 0, and leaves NaN for everybody to see.
  return (Math.round(value * 100) / 100 + 0).toFixed(2);
}
