/**
 * `import { createModel, epsilonOf } from 'cesta/shared'`: models, metrics, accountants and catalogues as pure functions, for Node and
 * browsers alike.
 * @example
 * import { createCatalogue, createModel, historyOf } from 'cesta/shared';
 *
 * const catalogue = createCatalogue([{ id: 'cup', title: 'Cup' }, { id: 'saucer', title: 'Saucer' }]);
 * const model = createModel('popularity', catalogue, {});
 * const scores = new Float32Array(catalogue.products.length);
 * model.score(model.initial(), historyOf([{ time: 1_700_000_000, items: [0] }]), scores);
 * console.log(scores);
 * @module cesta/shared
 */
export { createCatalogue, parseCatalogue, type Catalogue, type Product } from './commerce/catalogue.ts';
export { distinctItems, historyOf, type ShopperHistory, type Visit } from './commerce/history.ts';
export { byGroup, byHash, dirichlet, type Partition } from './datasets/partitions.ts';
export { evaluateModel, type Evaluation, type EvaluationOptions } from './evaluation/evaluate-model.ts';
export { bootstrapInterval, pairedBootstrapInterval, type BootstrapOptions, type Interval } from './evaluation/intervals.ts';
export { coverage, gini, hitRate, ndcg, recall } from './evaluation/metrics.ts';
export { splitHistories, type Split, type TestCase } from './evaluation/splits.ts';
export type { RandomWords } from './numerics/random.ts';
export { createSparseVector, type SparseVector } from './numerics/sparse-vector.ts';
export { noiseMultiplierFor, type NoiseTarget } from './privacy/accounting/calibration.ts';
export { epsilonOf, type Engine, type EpsilonReport } from './privacy/accounting/epsilon.ts';
export type { GaussianEvent, LaplaceEvent, PrivacyEvent, PureEvent, SkellamEvent, ZcdpEvent } from './privacy/accounting/events.ts';
export { skellamEpsilon, skellamNoiseStd, type SkellamPlan } from './privacy/accounting/skellam.ts';
export { modelKinds } from './recommender/federated-model.ts';
export type { Aggregate, AnyFederatedModel, FederatedModel, LocalChange, LocalTrainer, LocalTraining, ModelKind, Reason, Statistic } from './recommender/federated-model.ts';
export type { Json } from './protocol/canonical-json.ts';
export { CestaError } from './protocol/errors.ts';
export { errorTable, type ErrorCode } from './protocol/error-table.ts';
export type { NamedTensors, Tensor, TensorData } from './protocol/tensors.ts';
export { createModel, deploymentDefaults, type Deployment } from './recommender/registry.ts';
