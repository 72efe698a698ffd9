/** What shoppers were promised, and how much of it is spent. */
import type { JSX } from 'preact';
import { BudgetCourse, BudgetGauge } from '../charts/budget-chart.tsx';
import { Facts, Section } from '../parts.tsx';
import type { Budget, Documents } from '../store.ts';
import { figure, leftInWords, oddsInWords, plural } from '../words.ts';

export function BudgetSection({ documents }: { readonly documents: Documents | null }): JSX.Element {
  return (
    <Section id="budget" title="Privacy budget">
      {documents === null ? <p class="quiet">Not loaded yet.</p> : <TaskBudget documents={documents} />}
    </Section>
  );
}

function TaskBudget({ documents: { budget, rounds, releases } }: { readonly documents: Documents }): JSX.Element {
  const { epsilonSpent, epsilonLimit } = budget;
  if (epsilonSpent === null || epsilonLimit === null) return <><p><strong>Nothing is promised.</strong> {budget.threatModel}</p></>;
  const steps = releases.flatMap(({ version, epsilon, restores }) => (epsilon === null || restores !== null ? [] : [{ version, epsilon }])).toReversed();
  const lastRound = rounds.findLast(({ epsilon }) => epsilon !== null)?.epsilon ?? null;
  return (
    <>
      <BudgetGauge spent={epsilonSpent} limit={epsilonLimit} />
      <p><strong>What that means.</strong> {oddsInWords(epsilonSpent, budget.unit)} {epsilonLimit - epsilonSpent < 0.001 ? '' : `When all of epsilon ${figure(epsilonLimit)} is spent, that factor is e^${figure(epsilonLimit)} = ${figure(Math.exp(epsilonLimit))}. `}{lastRound === null ? '' : `One round by itself costs epsilon ${figure(lastRound)}; rounds together cost less than their sum.`}</p>
      <Facts facts={factsOf(budget)} />
      {steps.length > 0 && <BudgetCourse steps={steps} limit={epsilonLimit} />}
      <h3>Against whom it holds</h3>
      <p>{budget.threatModel}</p>
      <h3>What it assumes</h3>
      <ul>{budget.assumptions.map((assumption) => <li key={assumption}>{assumption}</li>)}</ul>
    </>
  );
}

function factsOf({ unit, adjacency, delta, epsilonLeft, epsilonAcrossShops, shopsPerShopper, roundsCharged, evaluationsCharged, roundsLeft, shopLedger, shopperLedger, state }: Budget): (readonly [string, string])[] {
  const side = shopLedger ?? shopperLedger;
  return [
    ['Whose presence is hidden', unit],
    ['Neighbouring data sets', adjacency],
    ['Delta', `${delta ?? 'none'}: roughly the chance that the bound does not hold`],
    ['Epsilon left', leftInWords(epsilonLeft ?? 0)],
    ...(epsilonAcrossShops === null ? [] : [[`Of a shopper of ${plural(shopsPerShopper, 'shop')}`, `epsilon ${figure(epsilonAcrossShops, 4)}`] as const]),
    ...(side === null ? [] : [[`Of ${side.unit}`, `epsilon ${figure(side.epsilon, 4)}: ${side.adjacency}`] as const]),
    ['Rounds charged', `${roundsCharged} of training${evaluationsCharged === 0 ? '' : `, ${evaluationsCharged} of evaluation`}; ${roundsLeft} left`],
    ['State', state],
  ];
}
