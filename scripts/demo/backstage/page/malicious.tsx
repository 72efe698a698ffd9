/** The malicious shop: what it did to the releases of the running federation, and what a robust rule would have made of it. */
import type { JSX } from 'preact';
import { Table } from '../../../../server/dashboard/page/parts.tsx';
import type { MeasuredRelease } from '../../findings.ts';
import type { BackstageState, RobustComparison } from '../state.ts';
import { press } from './api.ts';
import { Bars } from './bars.tsx';
import { JobPanel } from './job.tsx';
import { percent, score } from './words.ts';

export function MaliciousShopPanel({ state }: { readonly state: BackstageState }): JSX.Element {
  const { malicious, target, isOver, federation: { robust } } = state;
  const isThere = malicious.state === 'starting' || malicious.state === 'present';
  return (
    <section aria-labelledby="malicious-title">
      <h2 id="malicious-title">A malicious shop</h2>
      <div class="explain">
        <p>
          Adds a shop whose 1,000 shoppers are invented: each "bought" one item that hardly anybody wants
          {target === null ? '' : ` (${target.title}, ${target.buyers} real buyers)`} together with something popular. It keeps every rule of the
          protocol, and its report is masked like all others: nobody can look at it.
        </p>
        <p>
          What bounds it: each invented shopper weighs as much as a real one and no more (clip norm and row cap), a shop may claim as many shoppers as the plan lets it,
          and an item can be pushed only along the pairs that the public catalogue allows.
          {robust === null ? ' This federation adds reports up. Start the demo with --robust median to have it take the median of groups of shops.' : ` This federation takes the ${robust} of groups of shops: one bad group cannot move it far.`}
        </p>
      </div>
      <p class="buttons">
        <button class="primary" aria-disabled={isThere || isOver} onClick={() => void press('POST', '/api/malicious-shop')}>Add a malicious shop</button>
        <button aria-disabled={!isThere} onClick={() => void press('DELETE', '/api/malicious-shop')}>Remove it</button>
      </p>
      <p role="status">{statusOf(state)}</p>
      {malicious.error !== null && <p class="failure" role="alert"><strong>{malicious.error.code}</strong> {malicious.error.message}</p>}
      <Effect state={state} />
      <h3>Sum or median?</h3>
      <p class="explain">The same round twice, without and with the malicious shop, combined as a sum and as the median of three groups: same orders, same invented shoppers, the epsilon of the whole year in one round. Computed beside the federation, on this machine.</p>
      <JobPanel job={state.comparison} path="/api/comparison" label="Compare sum and median" isBusy={state.attackersView.state === 'running'}>
        {(result) => <Comparison result={result} />}
      </JobPanel>
    </section>
  );
}

function statusOf({ malicious, isOver, releases }: BackstageState): string {
  const spoilt = releases.filter(({ round }) => malicious.rounds.includes(round)).length;
  const soFar = spoilt === 0 ? '' : ` Its report is in ${spoilt} of the ${releases.length} releases.`;
  switch (malicious.state) {
    case 'absent':
      return isOver ? `The year is over and its budget spent: no round is left to attack. Start the demo again for another year; the comparison below works at any time.${soFar}` : `No malicious shop is in the federation.${soFar}`;
    case 'starting':
      return 'The malicious shop starts.';
    case 'present':
      return `The malicious shop is in the federation.${soFar}`;
    case 'failed':
      return `The malicious shop stopped.${soFar}`;
    default:
      return malicious.state satisfies never;
  }
}

/** Of each release: how many see the item, and how well shoppers are served. */
function Effect({ state: { releases, malicious, target } }: { readonly state: BackstageState }): JSX.Element | null {
  if (target === null || releases.length === 0) return null;
  const isSpoilt = ({ round }: MeasuredRelease): boolean => malicious.rounds.includes(round);
  const first = releases.findIndex(isSpoilt);
  const worst = releases.filter(isSpoilt).reduce((most, { exposure }) => Math.max(most, exposure), 0);
  const before = first > 0 ? releases[first - 1] : undefined;
  const last = releases[releases.length - 1];
  const sentence = first === -1
    ? `${percent(last.exposure)} of test shoppers see ${target.title} on their first 20; no malicious shop was in a sum so far.`
    : `${target.title} was seen by ${before === undefined ? 'an unknown part' : percent(before.exposure)} of ${target.testShoppers} test shoppers before, and by up to ${percent(worst)} with the malicious shop; ndcg@10 ${before === undefined ? '' : `was ${score(before.row.ndcg10)} before and `}is ${score(last.row.ndcg10)} now.`;
  return (
    <>
      <Bars
        title="Test shoppers who see the pushed item" sentence={sentence} unit="share of test shoppers" format={percent}
        domain={[0, Math.max(0.02, 1.1 * Math.max(...releases.map(({ exposure }) => exposure)))]}
        legend={[{ mark: 'bar-mark', text: 'honest shops only' }, { mark: 'bar-bad', text: 'with the malicious shop in the sum' }]}
        bars={releases.map((release) => ({ name: `${release.version}: ${release.month}${isSpoilt(release) ? ', attacked' : ''}`, value: release.exposure, isBad: isSpoilt(release) }))}
      />
      <Table caption="Releases so far" columns={['month', 'in the sum', 'see the item', 'ndcg@10', '95 % interval']}
        rows={releases.map((release) => [release.month, `${release.shops} shops${isSpoilt(release) ? ', one malicious' : ''}`, percent(release.exposure), score(release.row.ndcg10), release.row.ndcg10Interval.map(score).join(' to ')])} />
    </>
  );
}

function Comparison({ result: { rows, shops, groups, epsilon, invented } }: { readonly result: RobustComparison }): JSX.Element {
  const find = (rule: string, attacker: string) => rows.filter((row) => row.rule === rule && row.attacker === attacker)[0];
  const [sum, median] = [find('sum', 'malicious shop'), find('median of groups', 'malicious shop')];
  const sentence = `With the malicious shop, ${percent(sum.exposure)} of test shoppers see the item after a sum, ${percent(median.exposure)} after the median of ${groups} groups. The median costs quality when nobody attacks: ndcg@10 ${score(find('median of groups', 'nobody').ndcg10)} instead of ${score(find('sum', 'nobody').ndcg10)}.`;
  return (
    <>
      <Bars
        title="The same attack on a sum and on a median" sentence={sentence} unit="share of test shoppers" format={percent}
        domain={[0, Math.max(0.02, 1.15 * Math.max(...rows.map(({ exposure }) => exposure)))]}
        legend={[{ mark: 'bar-mark', text: 'nobody attacks' }, { mark: 'bar-bad', text: 'malicious shop' }]}
        bars={rows.map(({ rule, attacker, exposure }) => ({ name: `${rule}, ${attacker}`, value: exposure, isBad: attacker !== 'nobody' }))}
      />
      <Table caption={`One round of ${shops} shops, epsilon ${epsilon}, ${invented} invented shoppers`} columns={['combined as', 'attacker', 'see the item', 'ndcg@10']}
        rows={rows.map(({ rule, attacker, exposure, ndcg10 }) => [rule, attacker, percent(exposure), score(ndcg10)])} />
    </>
  );
}
