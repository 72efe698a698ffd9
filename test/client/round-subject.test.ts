import { describe, expect, it } from 'vitest';
import { roundSubject, type RoundBase, type SubjectSources } from '../../client/round-subject.ts';
import { createModelCache } from '../../client/model-cache.ts';
import type { ScoredReleases } from '../../shared/evaluation/release-scores.ts';
import type { OpenedRelease } from '../../shared/federation/release.ts';
import { controlIn } from '../../shared/federation/strategies/state-tensors.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { vector } from '../../shared/recommender/tensor-checks.ts';
import { examplePlan } from '../federation/plans.ts';
import { teaCatalogue } from '../recommender/fixtures.ts';
import { manifestOf } from '../server/support/fixtures.ts';
import { codeOf } from './fakes.ts';

const catalogue = teaCatalogue(3);
const model = createModel('popularity', catalogue, {});
const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));

/** Releases that rank as their digest says, over the catalogue unless told otherwise. */
function sources(catalogueHash = catalogue.hash): SubjectSources & { readonly fetched: string[] } {
  const fetched: string[] = [];
  return {
    fetched,
    modelCache: createModelCache(),
    release: (sha256): Promise<OpenedRelease> => {
      fetched.push(sha256);
      const params = { popularity: Float32Array.of(sha256.charCodeAt(0), 0, 0), shoppers: 1, noiseStd: 0 };
      return Promise.resolve({ manifest: { ...manifestOf(examplePlan(), 1), catalogueHash }, tensors: model.encode(params), publicKey: '' });
    },
  };
}

const evaluation = (hyperParameters: object) => examplePlan({ model: { kind: 'evaluation', hyperParameters: { k: 10, candidate: a, served: b, previous: null, ...hyperParameters } } });

describe('what a plan has a shop sum', () => {
  it('is a model, from the catalogue alone or from the release the plan names', async () => {
    const from = sources();
    const first = await roundSubject(examplePlan(), catalogue, from);
    expect([first.statistic.kind, (await first.base()).params]).toEqual(['popularity', model.initial()]);
    expect(from.fetched).toEqual([]);
    expect(await (await roundSubject(examplePlan({ baseRelease: c }), catalogue, from)).base()).toMatchObject({ round: 'main-1', strategy: {}, params: { popularity: Float32Array.of(c.charCodeAt(0), 0, 0) } });
    expect(from.fetched).toEqual([c]);
  });

  it('starts with the control of the strategy that the release has, and from zero where that restores an older one', async () => {
    const baseFrom = (restores: object): Promise<RoundBase> => roundSubject(examplePlan({ baseRelease: c }), catalogue, {
      modelCache: createModelCache(),
      release: () => Promise.resolve({ manifest: { ...manifestOf(examplePlan(), 1), catalogueHash: catalogue.hash, ...restores }, tensors: { ...model.encode(model.initial()), 'strategy/control': vector(Float32Array.of(1, 2)) }, publicKey: '' }),
    }).then((subject) => subject.base());
    const [made, restored] = [await baseFrom({}), await baseFrom({ restores: 1 })];
    expect([made, restored].map(({ isRestored, strategy }) => [isRestored, ...controlIn(strategy, 2)])).toEqual([[false, 1, 2], [true, 0, 0]]);
  });

  it('is how well releases rank, each of them fetched by its digest and read by its own model', async () => {
    const from = sources();
    const subject = await roundSubject(evaluation({ previous: c }), catalogue, from);
    expect([subject.statistic.kind, subject.statistic.statisticLength(), from.fetched.length]).toEqual(['evaluation', 4, 0]);
    const { candidate, served, previous } = (await subject.base()).params as ScoredReleases;
    expect(from.fetched).toEqual([a, b, c]);
    expect([candidate, served, previous].map((release) => (release?.params as { popularity: Float32Array }).popularity[0])).toEqual([a, b, c].map((digest) => digest.charCodeAt(0)));
    expect((await (await roundSubject(evaluation({}), catalogue, from)).base()).params).toMatchObject({ previous: null });
  });

  it('is nothing where a release is of another catalogue, or the plan names none that could be compared', async () => {
    expect(await codeOf(async () => (await roundSubject(evaluation({}), catalogue, sources('0'.repeat(64)))).base())).toBe('release.untrusted');
    expect(await codeOf(() => roundSubject(evaluation({ served: a }), catalogue, sources()))).toBe('config.invalid');
    expect(await codeOf(() => roundSubject(evaluation({ served: 'latest' }), catalogue, sources()))).toBe('config.invalid');
  });
});
