import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { evaluateModel } from '../../../shared/evaluation/evaluate-model.ts';
import { splitHistories } from '../../../shared/evaluation/splits.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { parsePlan } from '../../../shared/federation/plan.ts';
import type { FederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createPopularity } from '../../../shared/recommender/popularity.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import { createSequence, type SequenceParams } from '../../../shared/recommender/sequence/model.ts';
import { trainCentrally } from '../../evaluation/central-training.ts';
import { codeOf, contributionOf, entriesOf, scoresOf, teaCatalogue, visits } from '../fixtures.ts';
import { architectures, preparedModel, roundabout, settingsOf, training } from './fixtures.ts';

const items = 12;
const catalogue = teaCatalogue(items);

const step = (model: FederatedModel<SequenceParams>, params: SequenceParams, change: Float32Array): SequenceParams => model.update(params, { sum: Float64Array.from(change), shoppers: 1, noiseStd: 0 });

describe.each(architectures)('sequence as %s', (architecture) => {
  it('learns a circle of items, far above popularity, and the same way from the same seed', async () => {
    const settings = settingsOf(architecture, { width: 12, localEpochs: 25, learningRate: 0.01, batch: 16 });
    const model = await preparedModel(settings, items);
    const split = splitHistories('leave-one-out', roundabout(items, 48, 5), items);
    const trained = async (): Promise<SequenceParams> => step(model, model.initial(), (await model.local!.train(model.initial(), split.training, training(1))).change);
    const params = await trained();
    const popularity = createPopularity(catalogue);
    const counted = evaluateModel(popularity, trainCentrally(popularity, split.training), split).ndcg10;
    expect(evaluateModel(model, params, split).ndcg10).toBeGreaterThan(Math.max(0.8, 1.5 * counted));
    expect(await trained()).toEqual(params);
  });

  it('changes rows of own and drawn items alone in a contribution, whoever contributed before', async () => {
    const wide = 60;
    const settings = settingsOf(architecture, { negatives: 7 });
    const model = await preparedModel(settings, wide);
    const history = visits([1], [2, 3], [4]);
    const rows = (entries: [number, number][]): Set<number> => new Set(entries.filter(([index]) => index < wide * settings.width).map(([index]) => Math.floor(index / settings.width)));
    const first = entriesOf(contributionOf(model, history));
    const touched = rows(first);
    for (const item of [1, 2, 3, 4]) expect(touched.has(item)).toBe(true);
    expect(touched.size).toBeLessThanOrEqual(4 + 7);
    entriesOf(contributionOf(model, visits([30], [31])));
    expect(entriesOf(contributionOf(model, history))).toEqual(first);
  });

  it('draws other negatives for a shopper once the weights have moved', async () => {
    const settings = settingsOf(architecture, { negatives: 7 });
    const model = await preparedModel(settings, 60);
    const drawn = (params: SequenceParams): string => entriesOf(trainedContribution(model, params, [1, 2])).filter(([index]) => index < 60 * settings.width).map(([index]) => Math.floor(index / settings.width)).join(' ');
    const moved = { weights: model.initial().weights.map((weight) => 1.1 * weight) };
    expect(drawn(moved)).not.toBe(drawn(model.initial()));
  });

  it('scales a contribution down to its norm', async () => {
    const model = await preparedModel(settingsOf(architecture, { contributionRate: 500, contributionNorm: 0.3 }), items);
    const norm = Math.hypot(...entriesOf(contributionOf(model, visits([1], [2]))).map(([, value]) => value));
    expect(norm).toBeLessThanOrEqual(0.3);
    expect(norm).toBeGreaterThan(0.1);
  });

  it('refuses to train before it is prepared, and ranks all the same', async () => {
    const model = createSequence(catalogue, settingsOf(architecture));
    expect(codeOf(() => contributionOf(model, visits([1], [2])))).toBe('model.unusable');
    await expect(model.local!.train(model.initial(), [], training(1))).rejects.toMatchObject({ code: 'model.unusable' });
    expect(scoresOf(model, model.initial(), visits([1]), items).every(Number.isFinite)).toBe(true);
  });

  it('refuses the release of another architecture, and says which it is', () => {
    for (const other of architectures.filter((kind) => kind !== architecture)) {
      const foreign = createSequence(catalogue, settingsOf(other));
      const model = createSequence(catalogue, settingsOf(architecture));
      expect(() => model.decode(foreign.encode(foreign.initial()))).toThrow(`expected weights of ${architecture}, got weights of ${other}`);
      expect(codeOf(() => model.decode(foreign.encode(foreign.initial())))).toBe('release.untrusted');
    }
    const wider = createSequence(catalogue, settingsOf(architecture, { width: 8 }));
    expect(codeOf(() => wider.decode(createSequence(catalogue, settingsOf(architecture)).encode(wider.initial())))).toBe('release.untrusted');
  });

  it('takes steps of its own number or of the number asked for, paused before each', async () => {
    const model = await preparedModel(settingsOf(architecture, { batch: 4, localEpochs: 2 }), items);
    const histories = roundabout(items, 8, 4);
    let pauses = 0;
    const pause = (): Promise<void> => {
      pauses += 1;
      return Promise.resolve();
    };
    expect(await model.local!.train(model.initial(), histories, training(1, { pause }))).toMatchObject({ steps: 4 });
    expect(pauses).toBe(4);
    expect(await model.local!.train(model.initial(), histories, training(1, { steps: 7 }))).toMatchObject({ steps: 7 });
    await expect(model.local!.train(model.initial(), histories, training(1, { pause: () => Promise.reject(new Error('stop')) }))).rejects.toThrow('stop');
    expect(await model.local!.train(model.initial(), [visits([3])], training(1, { steps: 7 }))).toMatchObject({ steps: 0 });
  });
});

function trainedContribution(model: FederatedModel<SequenceParams>, params: SequenceParams, [first, second]: [number, number]): ReturnType<typeof contributionOf> {
  return contributionOf({ ...model, initial: () => params }, visits([first], [second]));
}

describe('sequence', () => {
  it('ranks like titles first before any training', () => {
    const titles = ['red tea cup', 'blue tea cup', 'green tea cup', 'garden gnome', 'garden gnome large', 'garden fence'];
    const toys = createCatalogue(titles.map((title, index) => ({ id: String(index), title })));
    const model = createSequence(toys, settingsOf('two-tower', { width: 32 }));
    const scores = scoresOf(model, model.initial(), visits([0]), titles.length);
    expect(Math.min(scores[1], scores[2])).toBeGreaterThan(Math.max(...scores.slice(3)));
  });

  it('refuses weights so large that scores would overflow', () => {
    const model = createSequence(catalogue, settingsOf('sasrec'));
    const tensors = model.encode(model.initial());
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      const large = Float32Array.from(data);
      large[0] = 2e6;
      expect(codeOf(() => model.decode({ ...tensors, [name]: { shape, data: large } }))).toBe('release.untrusted');
    }
    for (const architecture of architectures) {
      const extreme = createSequence(catalogue, settingsOf(architecture));
      const weights = extreme.initial().weights.map((_, at) => (at % 3 === 0 ? -1e6 : 1e6));
      expect(scoresOf(extreme, { weights }, visits([1], [2, 3]), items).every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses an update that would make a weight other than finite or too large', () => {
    const model = createSequence(catalogue, settingsOf('sasrec'));
    for (const value of [NaN, Infinity, 1e39, -2e6]) {
      const sum = new Float64Array(model.statisticLength());
      sum[5] = value;
      expect(codeOf(() => model.update(model.initial(), { sum, shoppers: 1, noiseStd: 0 }))).toBe('model.unusable');
    }
  });

  it('corrects plain steps by control variates, and refuses to correct adaptive ones', async () => {
    const histories = roundabout(items, 6, 4);
    const plain = await preparedModel(settingsOf('two-tower', { optimiser: 'sgd', learningRate: 0.5 }), items);
    const correction = new Float32Array(plain.statisticLength()).fill(0.25);
    const [free, corrected] = await Promise.all([null, correction].map((given) => plain.local!.train(plain.initial(), histories, training(1, { steps: 1, correction: given }))));
    corrected.change.forEach((value, at) => expect(value).toBeCloseTo(free.change[at] - 0.5 * 0.25, 5));
    const adaptive = await preparedModel(settingsOf('two-tower'), items);
    await expect(adaptive.local!.train(adaptive.initial(), histories, training(1, { correction }))).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('stays nearer to where it started with a proximal term', async () => {
    const model = await preparedModel(settingsOf('two-tower', { optimiser: 'sgd', learningRate: 0.5, localEpochs: 10 }), items);
    const histories = roundabout(items, 6, 4);
    const distance = async (proximal: number): Promise<number> => Math.hypot(...(await model.local!.train(model.initial(), histories, training(1, { proximal }))).change);
    expect(await distance(1)).toBeLessThan(0.8 * (await distance(0)));
  });

  it('keeps its hyper-parameters through a plan', () => {
    const model = createModel('sequence', catalogue, { architecture: 'gru4rec', width: 8, rowLearningRate: 0.05 });
    const task = parseTaskSpec({
      name: 'next-item', model: { kind: 'sequence', hyperParameters: model.hyperParameters }, privacy: { mode: 'local', epsilon: 8, delta: 1e-5, rounds: 3 },
      cohort: { minParticipants: 1, targetParticipants: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 },
    });
    const plan = parsePlan(JSON.parse(JSON.stringify(makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null }))));
    const again = createModel('sequence', catalogue, plan.model.hyperParameters);
    expect(again.hyperParameters).toEqual(model.hyperParameters);
    expect(again.statisticLength()).toBe(model.statisticLength());
    expect(plan.bounds.clipNorm).toBeGreaterThan(1);
  });
});
