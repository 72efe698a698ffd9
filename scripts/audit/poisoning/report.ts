/** What `cesta audit poisoning` found, as text. */
import Table from 'cli-table3';
import type { PoisoningCell, PoisoningReport, PoisoningTable } from './poisoning.ts';

export function describePoisoning(report: PoisoningReport): string {
  const { shops, byzantine, maxShoppers, canary, seed } = report;
  return [
    ...report.tables.flatMap((table) => describeTable(table)),
    `${shops} shops, seed ${seed}. A cell: share of test shoppers who see the pushed item on their first 20, then ndcg@10, then the largest jump that the canary saw, which it holds back beyond ${canary.share}.`,
    'An honest jump is the largest that the canary would see between two honest rounds, each of half of the shoppers; beyond its limit it is a false alarm. An item shown beside few others is on few probes\' lists, however many shoppers have those.',
    `Malicious shoppers invent histories, spread over all shops. One shop in bounds claims up to what ${maxShoppers} shoppers might say of the item, or a part of it that a rule lets pass; beyond the bounds a report in the clear is refused, and a masked one is not seen.`,
    `Shop-level rules withstand ${byzantine} shops, not shoppers: where every shop has its share of fakes, no shop is an outlier. Median, trimmed mean and Bulyan lose what few shops have; see the first column for what each costs.`,
    'Rules without noise see exact reports: no privacy is promised there. Attacks are those named here; stronger ones may exist.',
  ].join('\n');
}

function describeTable({ model, testShoppers, shoppers, items, pushes, rows }: PoisoningTable): string[] {
  const table = new Table({ head: ['defence', ...rows[0].cells.map(({ attacker }) => attacker), 'honest jump'], style: { head: [], border: [] } });
  for (const { defence, cells, honestJump } of rows) table.push([defence, ...cells.map(show), honestJump.toFixed(3)]);
  const pushed = pushes.map(({ item, shoppers: buyers, recipe }) => `${item} (${buyers} shoppers; ${recipe})`);
  return [`${model}: ${shoppers} shoppers, ${testShoppers} of them tested, ${items} items; pushed: ${pushed.join(', ')}`, table.toString()];
}

function show({ exposure, ndcg10, jump, held, isRefused }: PoisoningCell): string {
  return `${exposure.toFixed(3)}  ${ndcg10.toFixed(4)}  ${isRefused ? 'refused' : `${jump.toFixed(3)}${held > 0 ? ' held' : ''}`}`;
}
