/** The spend lines of shops: whatever was in a file before a kill is in it afterwards, unchanged and in front. */
import { existsSync, readFileSync } from 'node:fs';
import { openSpendLedger } from '../../../client/shop/spend-ledger.ts';
import type { ServedRound } from './served.ts';

export interface SpendLines {
  /** Rounds that a shop has written down. */
  count(shop: number): number;
  /** Reads all files. @returns what contradicts what they held before, a sentence each */
  look(): string[];
  /** What the shops lack of the rounds that were released. */
  compare(rounds: readonly ServedRound[]): string[];
}

/** @param paths of the files, a shop each */
export function watchSpendLines(paths: readonly string[]): SpendLines {
  const before = paths.map(() => '');
  const spendsOf = (path: string): string[] => openSpendLedger(path).read().spends.map(({ round }) => round);
  return {
    count: (shop) => spendsOf(paths[shop]).length,
    look: () => paths.flatMap((path, shop) => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const findings = text.startsWith(before[shop]) ? [] : [`${path}: expected the ${before[shop].length} characters that it had, got others`];
      before[shop] = text;
      const rounds = spendsOf(path);
      // The same data noised twice for one round would be two for the price of one in the public budget.
      if (new Set(rounds).size !== rounds.length) findings.push(`${path}: expected a spend for a round once, got it twice`);
      return findings;
    }),
    compare(rounds) {
      const spends = paths.map((path) => new Set(spendsOf(path)));
      return rounds.filter(({ state }) => state === 'done').flatMap(({ round, participants }) => {
        const wrote = spends.filter((known) => known.has(round)).length;
        return wrote >= (participants ?? 0) ? [] : [`round ${round}: expected ${participants} shops that wrote down their spend, got ${wrote}`];
      });
    },
  };
}
