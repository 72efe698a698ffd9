/** What an attacker who sees a sum, and knows all others in it, learns of one shopper: with and without noise. */
import type { JSX } from 'preact';
import type { AttackersView, BackstageState } from '../state.ts';
import { Bars } from './bars.tsx';
import { JobPanel } from './job.tsx';

const area = (value: number): string => value.toFixed(2);

export function AttackersViewPanel({ state }: { readonly state: BackstageState }): JSX.Element {
  return (
    <section aria-labelledby="attacker-title">
      <h2 id="attacker-title">The attacker's view</h2>
      <p class="explain">
        Runs membership inference on sums of real shoppers: the attacker has the sum, knows the orders of everybody else in it, and asks whether one shopper is in it
        or somebody else. Secure sums alone do not stop this attacker; the noise does, as far as epsilon says.
      </p>
      <JobPanel job={state.attackersView} path="/api/attackers-view" label="See what an attacker sees" isBusy={state.comparison.state === 'running'}>
        {(result) => <View result={result} />}
      </JobPanel>
    </section>
  );
}

function View({ result: { without, with: noised, victims, participants, epsilon, delta } }: { readonly result: AttackersView }): JSX.Element {
  const sentence = `Without noise the attacker is right ${area(without.value)} of the time, with the noise of epsilon ${epsilon} ${area(noised.value)}; a coin is right half of the time.`;
  return (
    <>
      <Bars
        title="How often the attacker tells who was in the sum" sentence={sentence} unit="area under the curve" format={area} domain={[0, 1]} chance={0.5}
        legend={[{ mark: 'bar-bad', text: 'sum without noise' }, { mark: 'bar-mark', text: `with noise, epsilon ${epsilon}` }, { mark: 'coin', text: 'a coin' }]}
        bars={[
          { name: 'without noise', value: without.value, interval: [without.low, without.high], isBad: true },
          { name: `epsilon ${epsilon}`, value: noised.value, interval: [noised.low, noised.high], isBad: false },
        ]}
      />
      <p class="explain">
        It means: given one sum with a shopper and one without, this is how often the attacker picks the right one. {victims} shoppers were attacked in sums of {participants}, with all of
        epsilon {epsilon} (delta {delta}) spent on one sum; the rounds of a year share it. It is the strongest attacker of the audit, who knows all the others, and still one attack: epsilon bounds them all.
      </p>
    </>
  );
}
