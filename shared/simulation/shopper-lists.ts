/** Shoppers who have something in common, a country or a taste, as lists of their indexes. */

export interface ShopperLists {
  /** From the most shoppers to the fewest, of equals in the order of the alphabet. */
  readonly names: readonly string[];
  /** Ascending, one list a name. */
  readonly members: readonly Int32Array[];
  /** Which list a shopper is in. */
  readonly listOf: Int32Array;
}

/**
 * @param nameOf what each shopper is listed by
 * @param most lists at most: those with the fewest shoppers become one, under the name of the largest of them
 */
export function listBy(nameOf: readonly string[], most = Infinity): ShopperLists {
  const counts = new Map<string, number>();
  for (const name of nameOf) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)).map(([name]) => name);
  const lists = Math.min(names.length, most);
  const rankOf = new Map(names.map((name, rank) => [name, Math.min(rank, lists - 1)]));
  const listOf = Int32Array.from(nameOf, (name) => rankOf.get(name)!);
  const members = Array.from({ length: lists }, (): number[] => []);
  listOf.forEach((list, shopper) => members[list].push(shopper));
  return { names: names.slice(0, lists), members: members.map((list) => Int32Array.from(list)), listOf };
}
