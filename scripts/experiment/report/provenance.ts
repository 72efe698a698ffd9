/** What makes an experiment again, to the byte, and what its intervals do not cover. */
import { plural } from '../../../server/dashboard/page/words.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { protocolVersion } from '../../../shared/protocol/version.ts';
import type { Baseline, Scenario } from '../../../shared/simulation/scenario.ts';
import { html, type Content, type Markup } from '../../markup.ts';
import type { ExperimentResult, Run } from '../result.ts';
import type { Summary } from '../summary.ts';
import { table } from './figure.ts';
import { epsilonWords, list, nameOf } from './words.ts';

export function provenance(result: ExperimentResult, { rows }: Summary): Markup {
  const groups: readonly (readonly [string, readonly Run[]])[] = [...result.cells.map(({ label, runs }) => [label, runs] as const), ...Object.entries(result.baselines).map(([name, runs]) => [nameOf(name), runs] as const)];
  const runs = groups.flatMap(([label, own]) => own.map((run): Content[] => [label, run.scenario.seed, epsilonWords(run.epsilon), html`<code>${run.id.slice(0, 12)}</code>`]));
  const data = [...new Set(groups.flatMap(([, own]) => own.map(({ scenario }) => scenario.data)))];
  const facts: readonly (readonly [string, Content])[] = [
    ['Data', list(data)],
    ['Data hash', html`<code>${result.dataHash}</code>`],
    ['Code hash', html`<code>${result.codeHash}</code>`],
    ['Protocol', `version ${protocolVersion}`],
    ['Swept', result.axes.length === 0 ? 'nothing' : html`<code>${result.axes.join(', ')}</code>`],
    ['Seeds', list([...new Set(rows.flatMap(({ seeds }) => seeds))].sort((a, b) => a - b).map(String))],
    ...(result.attribution === null ? [] : [['Attribution', linked(result.attribution)] as const]),
  ];
  const first = groups.flatMap(([, own]) => own)[0];
  return html`<section aria-labelledby="again"><h2 id="again">How to make it again</h2>
<p>The same code, data and command give the same bytes:</p>
<pre><code>${result.command}</code></pre>
<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details><summary>Runs and their ids</summary>${table('Runs', ['setting', 'seed', 'epsilon spent', 'id'], runs)}</details>
${first === undefined ? null : html`<details><summary>Settings of the first run; others differ in what was swept</summary><pre><code>${JSON.stringify(first.scenario, null, 2)}</code></pre></details>`}
</section>`;
}

/** Addresses in it can be followed; nothing is fetched. */
function linked(text: string): Content {
  return text.split(/(https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;])/).map((part, index) => (index % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : part));
}

/** Where cells differ in what a baseline is made of, it is one of several that there could be. */
function baselineLimits({ cells, baselines }: ExperimentResult): string[] {
  const runs = cells.flatMap((cell) => cell.runs);
  const limit = (baseline: Baseline, partsOf: (scenario: Scenario) => readonly string[]): string[] => {
    const own = (baselines[baseline] ?? []).slice(0, 1).map(({ scenario }) => list(partsOf(scenario)));
    return own.filter((parts) => runs.some(({ scenario }) => list(partsOf(scenario)) !== parts)).map((parts) => `Of “${nameOf(baseline)}” there is one, with ${parts}: settings that differ in that are compared with the same one.`);
  };
  return [
    ...limit('local-only', ({ model, population }) => [modelWords(model), `shops as in ${canonicalJson(population)}`]),
    ...limit('central', ({ model, rounds }) => [modelWords(model), plural(rounds, 'round')]),
  ];
}

function modelWords({ kind, hyperParameters }: Scenario['model']): string {
  return `the model ${kind}${Object.keys(hyperParameters).length === 0 ? '' : ` ${canonicalJson(hyperParameters)}`}`;
}

export function limits(result: ExperimentResult, { rows, comparedBy }: Summary): Markup {
  const { cells, metrics } = result;
  const scenarios = cells.flatMap(({ runs }) => runs.map(({ scenario }) => scenario));
  const virtual = scenarios.some(({ population }) => population.shoppers !== null);
  const comparisons = rows.filter(({ comparison }) => comparison !== null).length;
  const said = [
    'Intervals over seeds (Student\'s t, which takes seeds to be normal) say how far a mean may move with other noise and other draws of participants, on the same test shoppers. With few seeds they are wide and rest on that assumption.',
    'Intervals over shoppers (bootstrap) say how far it may move with other test shoppers of the same kind, with the seeds that were run. Neither holds the other, and neither speaks of another data set, another season or a live shop.',
    ...(comparisons === 0 ? [] : [`Comparisons are of ${comparedBy}, paired by shopper: a randomisation test, two-sided, ${comparisons === 1 ? 'one comparison' : `adjusted by Holm's method over all ${comparisons} comparisons`}. The test takes trained models as they are: noise that one of them has is the same for all shoppers, and with one seed it is part of the difference. With several, a setting counts as better or worse only where the 95 % interval of the difference over seeds, each by itself, leaves out zero as well. A large p is no proof that two settings are equal.`]),
    ...(cells.length > 1 ? [`The best of ${cells.length} settings is picked on the test shoppers it is reported on, so its ${metrics[0]} leans upwards a little.`] : []),
    ...baselineLimits(result),
    'Quality is measured on orders that shoppers made without these shelves: what they would buy with them is another question.',
    ...(virtual ? ['Virtual shoppers are bootstrap draws of the real ones: as many as one likes, and no taste that was not there before. Quality of large populations is no better founded than the real data.'] : []),
    'Participants, networks and times are simulated: dropouts and stragglers are as frequent as the settings say, bytes are those of the protocol, and nothing is said about computing time.',
  ];
  return html`<section aria-labelledby="limits"><h2 id="limits">What these figures do not say</h2>
<ul>${said.map((words) => html`<li>${words}</li>`)}</ul>
</section>`;
}
