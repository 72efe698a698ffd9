/** What the epsilons of an experiment promise, and on what assumptions: in the words of releases, beside what only a simulation can say. */
import { figure, oddsInWords } from '../../../server/dashboard/page/words.ts';
import { samplingOf, threatModelOf, unitOf, weightingOf } from '../../../shared/federation/budget-report.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import type { Scenario } from '../../../shared/simulation/scenario.ts';
import { html, type Content, type Markup } from '../../markup.ts';
import type { ExperimentResult, Run } from '../result.ts';
import { list } from './words.ts';

export function privacySection({ cells }: ExperimentResult): Markup {
  const runs = cells.flatMap((cell) => cell.runs);
  const groups = new Map<string, { readonly terms: Terms; readonly runs: Run[] }>();
  for (const run of runs) {
    const terms = termsOf(run);
    const key = canonicalJson(terms);
    groups.set(key, { terms, runs: [...groups.get(key)?.runs ?? [], run] });
  }
  return html`<section aria-labelledby="privacy"><h2 id="privacy">What is promised</h2>
<p>Every participant was simulated on one machine: what follows is what a federation with these plans would promise its shoppers, not a protection of the simulation from whoever ran it. Noise came from seeded streams, so that the experiment can be made again; a federation's comes from the system.</p>
${[...groups.values()].map(({ terms, runs: own }, index) => statement(terms, own, groups.size === 1 ? null : `Promise ${index + 1} of ${groups.size}`))}
</section>`;
}

/** What the words depend on, besides epsilon. */
interface Terms {
  readonly isPrivate: boolean;
  readonly mode: Scenario['privacy']['mode'];
  readonly delta: number | null;
  readonly unit: Scenario['unit'];
  readonly are: Scenario['clients']['are'];
  readonly sampling: number;
  readonly weightedUpTo: number | null;
  readonly noiseCohort: number | null;
  readonly isClipAdaptive: boolean;
}

function termsOf({ scenario: { privacy, unit, clients, weightedUpTo }, delta, epsilon }: Run): Terms {
  const isPrivate = epsilon !== null || privacy.epsilon !== null;
  if (!isPrivate) return { isPrivate, mode: 'central', delta: null, unit, are: clients.are, sampling: 1, weightedUpTo: null, noiseCohort: null, isClipAdaptive: false };
  return {
    isPrivate, mode: privacy.mode, delta: delta ?? privacy.delta, unit, are: clients.are, sampling: privacy.sampling,
    weightedUpTo: weightedUpTo ?? null, noiseCohort: privacy.noiseCohort ?? null, isClipAdaptive: privacy.adaptiveClip,
  };
}

const modes: Readonly<Record<Scenario['privacy']['mode'], string>> = {
  central: 'central: noise is added once, to the exact sum',
  local: 'local: each participant adds all of the noise',
  distributed: 'distributed: each participant adds a share of the noise to a masked sum',
};

function statement(terms: Terms, runs: readonly Run[], heading: string | null): Markup {
  const epsilons = [...new Set(runs.flatMap(({ epsilon, scenario }) => scenario.privacy.epsilon ?? epsilon ?? []))].sort((a, b) => a - b);
  const { unit, adjacency } = unitOf(terms.unit);
  if (!terms.isPrivate) {
    return html`${heading === null ? null : html`<h3>${heading}: none</h3>`}<p>${[...new Set(runs.map(({ scenario }) => labelOfPlain(scenario)))].join(' ')} ${threatModelOf('none', null)}</p>`;
  }
  const facts: readonly (readonly [string, Content])[] = [
    ['Unit', unit],
    ['Adjacency', adjacency],
    ['Epsilon', `${list(epsilons.map((epsilon) => figure(epsilon)))}, at most, of all rounds of a training together`],
    ['Delta', String(terms.delta)],
    ['Mode', modes[terms.mode]],
    ['Participants', terms.are === 'shops' ? 'shops, each with all its shoppers' : 'shoppers, each with its own device'],
  ];
  return html`${heading === null ? null : html`<h3>${heading}</h3>`}<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<p>${oddsInWords(epsilons[epsilons.length - 1], unit)} Delta bounds how far that may fail.</p>
<ul>${assumptions(terms, runs).map((words) => html`<li>${words}</li>`)}</ul>`;
}

function labelOfPlain({ privacy }: Scenario): string {
  return privacy.epsilon === null ? 'Runs without noise:' : 'Runs that report no epsilon:';
}

function assumptions({ mode, unit, are, sampling, weightedUpTo, noiseCohort, isClipAdaptive }: Terms, runs: readonly Run[]): string[] {
  return [
    mode === 'central'
      ? 'Noise is added by whoever has the exact sum, so the numbers hold against readers of a release and not against the coordinator. The mode exists in experiments only: no federation runs it.'
      : threatModelOf(mode, null),
    ...(mode === 'distributed' ? ['As many are named as where an operator names none: a tenth of the fewest participants that a sum takes, at least one. What more of them collude is not bounded by these numbers.'] : []),
    ...(are === 'shoppers' ? ['A participant is the device of one shopper: where these words say shop, that device is meant.'] : []),
    samplingOf(sampling, unit),
    ...weightingOf(weightedUpTo ?? undefined),
    ...(isClipAdaptive ? ['The clip norm follows a private count of how many contributions it shortened; the count is charged to the same epsilon.'] : []),
    ...(noiseCohort === null ? [] : [`Noise is that of a cohort of ${noiseCohort} participants, scaled down to the cohort that was simulated: the quality is an estimate of that large federation's, and epsilon is that federation's. The simulated cohort itself has no such guarantee.`]),
    ...(unit === 'shop' ? [] : ['A person who is a shopper of several shops has a larger epsilon: as many times larger as there are shops, or more.']),
    ...(runs.some(({ scenario }) => scenario.clients.malicious.kind !== 'none') ? ['Some participants are malicious: what they may learn is bounded as above; what they do to the model is not bounded by epsilon.'] : []),
  ];
}
