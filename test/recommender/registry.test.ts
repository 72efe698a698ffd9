import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { modelKinds, type ModelKind } from '../../shared/recommender/federated-model.ts';
import { createModel, parseModelKind } from '../../shared/recommender/registry.ts';
import { codeOf, teaCatalogue } from './fixtures.ts';

const catalogue = teaCatalogue(3);

describe('the registry', () => {
  it.each(modelKinds)('makes %s with resolved hyper-parameters that make the same model again', (kind) => {
    const model = createModel(kind, catalogue, {});
    expect(model.kind).toBe(kind);
    expect(canonicalJson(createModel(kind, catalogue, model.hyperParameters).hyperParameters)).toBe(canonicalJson(model.hyperParameters));
  });

  it.each(modelKinds)('refuses hyper-parameters that %s does not know', (kind) => {
    expect(codeOf(() => createModel(kind, catalogue, { surprise: 1 }))).toBe('config.invalid');
    expect(codeOf(() => createModel(kind, catalogue, null))).toBe('config.invalid');
  });

  it.each([
    ['ease', { lambda: 0 }], ['ease', { lambda: Infinity }], ['ease', { topWeights: 0 }], ['ease', { topWeights: 1.5 }],
    ['item-knn', { shrinkage: -1 }], ['slist', { wholeShare: 1.1 }], ['slist', { decayVisits: 0 }],
    ['neighbours', { candidatesPerItem: 0 }], ['neighbours', { topItems: [-1] }],
  ] as const)('refuses %s with %j', (kind, hyperParameters) => {
    expect(codeOf(() => createModel(kind, catalogue, hyperParameters))).toBe('config.invalid');
  });

  it('refuses a kind it does not know', () => {
    expect(codeOf(() => createModel('oracle' as ModelKind, catalogue, {}))).toBe('model.unknown');
    expect(codeOf(() => parseModelKind('constructor'))).toBe('model.unknown');
    expect(parseModelKind('ease')).toBe('ease');
  });
});
