/**
 * `import { createModel, epsilonOf } from 'cesta/shared'`: models, metrics, accountants and catalogues as pure functions, for Node and
 * browsers alike.
 * @example
 * import { createCatalogue, createModel, historyOf } from 'cesta/shared';
 *
 * const catalogue = createCatalogue([{ id: 'cup' }, { id: 'saucer' }]);
 * const model = createModel('popularity', catalogue, {});
 * const scores = new Float32Array(catalogue.products.length);
 * model.score(model.initial(), historyOf([{ time: 1_700_000_000, items: [0] }]), scores);
 * @module cesta/shared
 */
export { createCatalogue, parseCatalogue, type Catalogue, type Product } from './commerce/catalogue.ts';
export { historyOf, type ShopperHistory, type Visit } from './commerce/history.ts';
export { byGroup, byHash, dirichlet, type Partition } from './datasets/partitions.ts';
export { evaluateModel, type Evaluation, type EvaluationOptions } from './evaluation/evaluate-model.ts';
export { bootstrapInterval, pairedBootstrapInterval, type BootstrapOptions, type Interval } from './evaluation/intervals.ts';
export { coverage, gini, hitRate, ndcg, recall } from './evaluation/metrics.ts';
export { splitHistories, type Split, type TestCase } from './evaluation/splits.ts';
export { noiseMultiplierFor, type NoiseTarget } from './privacy/accounting/calibration.ts';
export { epsilonOf, type EpsilonReport } from './privacy/accounting/epsilon.ts';
export type { PrivacyEvent } from './privacy/accounting/events.ts';
export { skellamEpsilon, skellamNoiseStd, type SkellamPlan } from './privacy/accounting/skellam.ts';
export type { Aggregate, AnyFederatedModel, FederatedModel, Statistic } from './recommender/federated-model.ts';
export { createModel } from './recommender/registry.ts';
