import { describe, expect, it } from 'vitest';
import { localTermsOf, usualEncoding } from '../../scripts/cli/local-options.ts';
import { evaluate } from '../../scripts/evaluate.ts';
import { codeOf } from '../recommender/fixtures.ts';

describe('unit, strategy and weights on the command line', () => {
  it('are what a task says of them, with the defaults of the strategy', () => {
    expect(localTermsOf({})).toEqual({});
    expect(localTermsOf({ unit: 'shop', strategy: 'fedadam', serverRate: 0.02, strategySettings: { beta1: 0.5 }, weightedUpTo: 200 })).toEqual({
      unit: 'shop', weightedUpTo: 200, strategy: { kind: 'fedadam', learningRate: 0.02, beta1: 0.5, beta2: 0.99, tau: 1e-3 },
    });
    expect(localTermsOf({ strategy: 'scaffold', strategySettings: { localSteps: 7, shops: 40 } }).strategy).toMatchObject({ learningRate: 1, localSteps: 7, shops: 40 });
  });

  it('are refused where nothing would follow from them', () => {
    expect(codeOf(() => localTermsOf({ serverRate: 1 }))).toBe('usage.invalid');
    expect(codeOf(() => localTermsOf({ strategySettings: { momentum: 0 } }))).toBe('usage.invalid');
    expect(codeOf(() => localTermsOf({ strategy: 'fedavg', strategySettings: { momentum: 0.5 } }))).toBe('plan.invalid');
    expect(codeOf(() => localTermsOf({ strategy: 'scaffold' }))).toBe('plan.invalid');
  });

  it('choose the grid that a dense change survives on', () => {
    expect([usualEncoding({ unit: 'shop', mode: 'distributed' }), usualEncoding({ unit: 'shop', mode: 'none' }), usualEncoding({ unit: 'shopper', mode: 'local' }), usualEncoding({ mode: 'local' })]).toEqual(['rotated', 'sparse', 'sparse', 'sparse']);
  });
});

describe('a simulation', () => {
  it('has no centre that holds the data of shops which hide as a whole', async () => {
    await expect(evaluate({ data: 'online-retail', model: 'sequence', epsilon: 3, mode: 'central', local: { unit: 'shop' } })).rejects.toMatchObject({ code: 'privacy.invalid' });
  });
});
