/**
 * What the findings say, and whether they are as they should be: the plain upload must fall to the row-change attack,
 * and a secure sum with distributed noise must leave it nothing to speak of.
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

/** The row-change attack takes at least so much from a plain upload, and at most so much from a protected sum. */
export const leastPlainAdvantage = 0.95;
export const mostProtectedAdvantage = 0.05;

/** @param rows All settings: at least one of each kind. */
export function judge(rows: readonly JudgedRow[]): Verdict {
  const of = (kind: SettingKind): JudgedRow[] => rows.filter((row) => row.kind === kind);
  const [[plain], [clipped], [masked], sums, noised, both] = (['plain', 'clipped', 'masked', 'sum', 'noise', 'protected'] as const).map(of);
  const advantage = (row: JudgedRow): number => row.rowAdvantage.value;
  // NaN must not pass: both are asked as what should hold.
  const isCaught = advantage(plain) >= leastPlainAdvantage;
  const isProtected = both.every((row) => advantage(row) <= mostProtectedAdvantage);
  const largest = sums.reduce((a, b) => (b.participants > a.participants ? b : a));
  const smallest = sums.reduce((a, b) => (b.participants < a.participants ? b : a));
  const worst = both.reduce((a, b) => (advantage(b) > advantage(a) ? b : a));
  const areas = (some: readonly JudgedRow[], area: (row: JudgedRow) => Measured): string => some.map((row) => area(row).value.toFixed(2)).join(', ');
  const epsilons = noised.map(({ epsilon }) => epsilon).join(', ');
  return {
    pass: isCaught && isProtected,
    lines: [
      `Control: a plain upload gives the row-change attack ${advantage(plain).toFixed(2)} of what there is to learn: ${isCaught ? 'caught' : `NOT CAUGHT, expected at least ${leastPlainAdvantage}`}.`,
      `Clip and row cap bound what one shopper can do to a model; alone they hide nothing (${advantage(clipped).toFixed(2)}).`,
      `A masked upload is random words: row change ${advantage(masked).toFixed(2)}, membership ${masked.memberArea.value.toFixed(2)} (a coin: .50).`,
      `A secure sum alone hides who: row change falls from ${advantage(smallest).toFixed(2)} at ${smallest.participants} to ${advantage(largest).toFixed(2)} at ${largest.participants}. It does not hide whether:`,
      `  membership stays at ${largest.memberArea.value.toFixed(2)} in a sum of ${largest.participants}, ${largest.subtractionArea.value.toFixed(2)} where the attacker knows the others.`,
      `Noise hides whether, as far as epsilon says: at ${epsilons} membership is ${areas(noised, ({ subtractionArea }) => subtractionArea)} where the attacker knows the others, in an upload and in a sum.`,
      `Both together leave row change at most ${advantage(worst).toFixed(3)} (${worst.name}): ${isProtected ? 'as it should be' : `TOO MUCH, expected at most ${mostProtectedAdvantage}`}.`,
    ],
  };
}
