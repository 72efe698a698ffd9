/** The simulator: clients of a whole private round a second, beside what a model makes of the same histories and nothing else. */
import { createSparseVector } from '../../../shared/numerics/sparse-vector.ts';
import { createModel, deploymentDefaults } from '../../../shared/recommender/registry.ts';
import { parseScenario } from '../../../shared/simulation/scenario.ts';
import { readDataset } from '../../../client/shop/read-data.ts';
import { simulatedToday, splitDataset } from '../../evaluate.ts';
import { simulate } from '../../simulate/simulate.ts';
import type { RoundTime } from '../../simulate/simulation.ts';
import { medianOf } from '../median.ts';
import { perSecond, type BenchRow } from './contest.ts';

const [population, cohort, turns] = [1_000_000, 50_000, 3];

export async function simulatorRows(): Promise<BenchRow[]> {
  const times: RoundTime[] = [];
  const floors: number[] = [];
  const contribute = await contributions();
  for (let seed = 1; seed <= turns; seed += 1) {
    const scenario = parseScenario({ population: { shoppers: population }, clients: { are: 'shoppers', perRound: cohort }, seed });
    await simulate({ scenario, onTimed: (time) => void times.push(time) });
    const start = performance.now();
    contribute();
    floors.push((performance.now() - start) / 1000);
  }
  return [perSecond(
    { measure: 'simulator', what: `one-shopper clients in a private round of ${cohort} out of ${population}, neighbours`, reference: 'contributions of the same model alone, one thread: no clip, grid, noise, round', runs: turns },
    medianOf(times.map(({ clients, seconds }) => clients / seconds)),
    medianOf(floors.map((seconds) => cohort / seconds)),
  )];
}

/** As many contributions as a cohort makes, of the real shoppers in turn. */
async function contributions(): Promise<() => void> {
  const dataset = await readDataset('online-retail');
  const split = splitDataset(dataset, 'last-basket');
  const { training } = split;
  const model = createModel('neighbours', dataset.catalogue, deploymentDefaults('neighbours', { asOf: simulatedToday(split) }));
  const params = model.initial();
  const into = createSparseVector();
  return () => {
    for (let client = 0; client < cohort; client += 1) {
      into.clear();
      model.contribute(params, training[client % training.length], into);
    }
  };
}
