/** A small experiment result by hand, for tests of what is made from results: two cells of three seeds, and popularity once. */
import { average } from '../../../shared/evaluation/metrics.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { parseScenario, type ScenarioInput } from '../../../shared/simulation/scenario.ts';
import type { ExperimentResult, Run } from '../../../scripts/experiment/result.ts';
import type { RoundRecord } from '../../../scripts/simulate/simulation.ts';

export const exampleRecord = (round: number, fields: Partial<RoundRecord> = {}): RoundRecord => ({
  round, outcome: 'released', reason: null, virtualSeconds: 3600 * round + 0.5, invited: 12, joined: 10, reported: 9, left: 1, late: 0, shoppers: 100.25,
  bytesUp: 5000, bytesDown: 20_000, clipFraction: 0.25, noiseStd: 1.5, sumNorm: 40, signalToNoise: 2, meanNorm: 0.4, clipNorm: 1, epsilon: round / 2,
  metrics: { 'ndcg@10': 0.1 * round, 'recall@10': 0.2 }, ...fields,
});

/** Of 60 test shoppers in 4 shops, with values about `level`. */
export const exampleRun = (scenario: ScenarioInput, level: number, fields: Partial<Run> = {}): Run => {
  const parsed = parseScenario(scenario);
  const random = seededRandom(parsed.seed, `level ${level}`);
  const ndcg10 = Float64Array.from({ length: 60 }, () => level + 0.1 * random.nextFloat());
  return {
    id: `${parsed.seed}${String(level).slice(2)}`.padEnd(64, '0'),
    scenario: parsed,
    rounds: [exampleRecord(1), exampleRecord(2, { outcome: 'failed', reason: 'round.failed', metrics: null, joined: 5, bytesUp: 1000, bytesDown: 10_000 })],
    metrics: { 'recall@10': 2 * average(ndcg10), 'ndcg@10': average(ndcg10), 'gini@10': 0.5 },
    epsilon: parsed.privacy.epsilon,
    delta: parsed.privacy.epsilon === null ? null : 1e-5,
    tests: { ndcg10, recall10: ndcg10.map((value) => 2 * value), shops: Int32Array.from(ndcg10, (_, shopper) => shopper % 4) },
    model: null,
    dataHash: 'd'.repeat(64),
    ...fields,
  };
};

export const exampleResult = (fields: Partial<ExperimentResult> = {}): ExperimentResult => ({
  name: 'example',
  question: 'Does a larger epsilon help?',
  axes: ['privacy.epsilon', 'aggregate'],
  cells: [1, 8].map((epsilon) => ({
    point: { 'privacy.epsilon': epsilon, aggregate: 'mean' },
    label: `epsilon ${epsilon}`,
    runs: [1, 2, 3].map((seed) => exampleRun({ privacy: { epsilon }, seed }, epsilon === 1 ? 0.1 : 0.3)),
  })),
  baselines: { popularity: [exampleRun({ baseline: 'popularity', privacy: { epsilon: Infinity } }, 0.12, { rounds: [] })] },
  metrics: ['ndcg@10', 'gini@10'],
  comparedWith: 'popularity',
  command: 'npx cesta experiment example',
  codeHash: 'c'.repeat(64),
  dataHash: 'd'.repeat(64),
  attribution: null,
  ...fields,
});
