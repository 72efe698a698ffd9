/**
 * `import { simulate, experiment, evaluate } from 'cesta'`: what the verbs of the command line compute, as functions. Importing it
 * starts nothing, and loads no tensor library: only a model that trains with one does, when it trains.
 * @example
 * import { evaluate, parseScenario, readDataset, simulate } from 'cesta';
 *
 * const { catalogue, shoppers } = await readDataset('online-retail');
 * console.log(shoppers.length, catalogue.products.length);
 *
 * const central = await evaluate({ data: 'online-retail', model: 'neighbours', epsilon: 3, seeds: 1 });
 * console.log(central.ndcg10, central.ndcg10Interval);
 *
 * const { metrics } = await simulate({ scenario: parseScenario({ population: { shops: 20 }, privacy: { epsilon: 3 } }) });
 * console.log(metrics['ndcg@10']);
 * @module cesta
 */
export { readDataset, type ReadOptions } from '../client/shop/read-data.ts';
export type { EventName, HistoryEvent } from '../shared/commerce/events.ts';
export type { Complaint, Dataset, LoadReport, Shopper } from '../shared/datasets/dataset.ts';
export { metricInfo, type MetricInfo, type MetricName } from '../shared/evaluation/scenario-metrics.ts';
export type { ShelfVariety } from '../shared/evaluation/shelf-variety.ts';
export { protocols, type Protocol } from '../shared/evaluation/splits.ts';
export type { AskedLocalTerms } from '../shared/federation/local-terms.ts';
export type { StrategyInput } from '../shared/federation/strategies/strategy.ts';
export type { Json } from '../shared/protocol/canonical-json.ts';
export { CestaError } from '../shared/protocol/errors.ts';
export { errorTable, type ErrorCode } from '../shared/protocol/error-table.ts';
export { modelKinds, type ModelKind } from '../shared/recommender/federated-model.ts';
export { baselines, parseScenario, type Baseline, type Scenario, type ScenarioInput } from '../shared/simulation/scenario.ts';
export { evaluate, type EvaluateOptions, type EvaluationResult, type EvaluationSummary } from './evaluate.ts';
export { experiment, sweep, type ExperimentFields, type ExperimentInput, type ExperimentTerms, type ScenarioFields, type Sweep, type Swept } from './experiment/define.ts';
export type { Cell, ExperimentResult, Point, Run } from './experiment/result.ts';
export type { Overrides } from './experiment/parse.ts';
export type { Simulate } from './experiment/perform-run.ts';
export type { ExperimentPlan } from './experiment/plan-experiment.ts';
export { runExperiment, type ExperimentEvent, type ExperimentOptions } from './experiment/run-experiment.ts';
export type { PlannedRun } from './experiment/run-folder.ts';
export type { LoggedRun, RunLogger } from './experiment/run-logger.ts';
export { frontier, type Comparison, type Frontier, type FrontierPoint } from './frontier.ts';
export { simulate } from './simulate/simulate.ts';
export type { Checkpoint, Metrics, RoundRecord, RoundTime, SimulateOptions, SimulationResult, TestValues } from './simulate/simulation.ts';
export type { SimulationMode } from './simulated-training.ts';
