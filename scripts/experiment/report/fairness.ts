/** How unequally shops are served: the distribution of ndcg@10 over shops, and by how many test shoppers a shop has. */
import * as Plot from '@observablehq/plot';
import { figure as digits } from '../../../server/dashboard/page/words.ts';
import { quantile } from '../../../shared/evaluation/intervals.ts';
import { average } from '../../../shared/evaluation/metrics.ts';
import { minTestShoppers, shopFigures, shopSpread, worstDecile, type ShopFigures } from '../../../shared/evaluation/shop-fairness.ts';
import { html, type Content, type Markup } from '../../markup.ts';
import type { Baseline } from '../../../shared/simulation/scenario.ts';
import type { TestValues } from '../../simulate/simulation.ts';
import type { ExperimentResult, Run } from '../result.ts';
import { figure, table, type FigureProps } from './figure.ts';
import { domainOf } from './marks.ts';
import { estimate, nameOf } from './words.ts';

interface Spread {
  readonly label: string;
  readonly tested: number;
  readonly leftOut: number;
  readonly worst: number;
  readonly quarter: number;
  readonly median: number;
  readonly threeQuarters: number;
  readonly best: number;
  readonly deviation: number;
}

interface Group {
  readonly label: string;
  readonly runs: readonly Run[];
}

export function fairness({ cells, baselines }: ExperimentResult): Markup {
  const groups: readonly Group[] = [...cells, ...(Object.entries(baselines) as [Baseline, readonly Run[]][]).map(([name, runs]) => ({ label: nameOf(name), runs }))];
  const spreads = groups.flatMap(spreadsOf);
  const federated = cells.flatMap(spreadsOf);
  const sizes = sizeTable(groups);
  const seeds = new Set(groups.map(({ runs }) => runs.length));
  return html`<section aria-labelledby="fairness"><h2 id="fairness">Shops</h2>
${spreads.length === 0 ? html`<p>No shop has ${minTestShoppers} test shoppers: figures by shop would be those of single shoppers.</p>` : figure(shopsFigure(spreads, federated))}
${sizes === null ? null : html`<h3>By size of the shop</h3>${sizes}`}
<p class="quiet">A shop's figure is the mean over its test shoppers; shops with fewer than ${minTestShoppers} are left out of the distribution. Figures of small shops differ by chance alone, so part of the spread is chance. Worst decile: mean of the worst tenth of the shops, of at least one.${seeds.size > 1 ? ' Which shopper is of which shop is drawn with the seed: a setting of one seed has the shops of that seed only.' : ''}</p>
</section>`;
}

/** Mean over the seeds, each of which may draw its own shops; none where no shop can be measured. */
function spreadsOf({ label, runs }: Group): Spread[] {
  const figures = runs.map(({ tests }) => shopFigures(tests.ndcg10, tests.shops)).filter((own) => own.figures.length > 0);
  if (figures.length === 0) return [];
  const mean = (valueOf: (own: ShopFigures) => number): number => average(figures.map(valueOf));
  return [{
    label,
    tested: mean((own) => own.figures.length), leftOut: mean(({ leftOut }) => leftOut), worst: mean((own) => worstDecile(own) ?? 0),
    quarter: mean((own) => quantile(own.figures, 0.25)), median: mean((own) => quantile(own.figures, 0.5)), threeQuarters: mean((own) => quantile(own.figures, 0.75)),
    best: mean((own) => own.figures[own.figures.length - 1]), deviation: mean((own) => shopSpread(own) ?? 0),
  }];
}

const rowPixels = 40;

function shopsFigure(spreads: readonly Spread[], federated: readonly Spread[]): FigureProps {
  const domain = domainOf(spreads.flatMap(({ worst, best }) => [worst, best]));
  const draw = (width: number): Plot.PlotOptions => ({
    width, height: 46 + rowPixels * spreads.length, marginLeft: 12, marginRight: 16, marginTop: 4, marginBottom: 42,
    x: { domain, label: 'ndcg@10 of a shop', ticks: Math.floor(width / 90), grid: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { type: 'band', domain: spreads.map(({ label }) => label), axis: null },
    marks: [
      Plot.ruleY(spreads, { y: 'label', x1: 'worst', x2: 'best', className: 'series s1', strokeWidth: 1.25, dy: 9 }),
      Plot.ruleY(spreads, { y: 'label', x1: 'quarter', x2: 'threeQuarters', className: 'series s1', strokeWidth: 9, dy: 9 }),
      Plot.dot(spreads, { y: 'label', x: 'median', className: 'series s1 mark', symbol: 'circle', r: 4.5, dy: 9 }),
      Plot.dot(spreads, { y: 'label', x: 'worst', className: 'series s2 mark', symbol: 'triangle', r: 4.5, dy: 9 }),
      Plot.text(spreads, { y: 'label', text: ({ label, worst, median }: Spread) => `${label}: worst decile ${estimate(worst)}, median ${estimate(median)}`, frameAnchor: 'left', textAnchor: 'start', dx: 4, dy: -9, className: 'note', textOverflow: 'ellipsis', lineWidth: (width - 40) / 13 }),
    ],
  });
  const fairest = (federated.length === 0 ? spreads : federated).reduce((one, other) => (other.worst > one.worst ? other : one));
  return {
    id: 'shops', title: 'ndcg@10 over shops', draw,
    sentence: `The worst tenth of ${digits(fairest.tested)} shops has the highest mean with ${fairest.label}: ndcg@10 ${estimate(fairest.worst)}, and ${estimate(fairest.median)} at the median shop. Whether others differ from that by more than chance is not tested.`,
    legend: [
      { text: 'worst decile', className: 'series s2', symbol: 'triangle', strokeWidth: 0 },
      { text: 'median', className: 'series s1', symbol: 'circle', strokeWidth: 0 },
      { text: 'half of the shops', className: 'series s1', strokeWidth: 9 },
      { text: 'from the worst decile to the best shop', className: 'series s1', strokeWidth: 1.25 },
    ],
    columns: ['setting', 'shops', 'left out', 'worst decile', 'lower quartile', 'median', 'upper quartile', 'best', 'standard deviation'],
    rows: spreads.map(({ label, tested, leftOut, ...rest }) => [label, digits(tested), digits(leftOut), ...[rest.worst, rest.quarter, rest.median, rest.threeQuarters, rest.best, rest.deviation].map(estimate)]),
  };
}

const thirds = ['smallest third', 'middle third', 'largest third'] as const;

/** Null where there are fewer than three shops. */
function sizeTable(groups: readonly Group[]): Markup | null {
  const rows = groups.flatMap(({ label, runs }): Content[][] => {
    const means = runs.map(({ tests }) => meansBySize(tests)).filter((own) => own !== null);
    return means.length === 0 ? [] : [[label, ...thirds.map((_, third) => estimate(average(means.map((own) => own[third]))))]];
  });
  return rows.length === 0 ? null : table('ndcg@10 by how many test shoppers a shop has, mean over shoppers', ['setting', ...thirds], rows);
}

/** Shops in order of their test shoppers, in three parts. */
function meansBySize({ ndcg10, shops }: TestValues): readonly number[] | null {
  const byShop = new Map<number, number[]>();
  shops.forEach((shop, at) => {
    const own = byShop.get(shop);
    if (own === undefined) byShop.set(shop, [ndcg10[at]]);
    else own.push(ndcg10[at]);
  });
  const ordered = [...byShop].sort(([a, few], [b, fewer]) => few.length - fewer.length || a - b).map(([, values]) => values);
  if (ordered.length < thirds.length) return null;
  return thirds.map((_, third) => average(ordered.slice(Math.floor((third * ordered.length) / 3), Math.floor(((third + 1) * ordered.length) / 3)).flat()));
}
