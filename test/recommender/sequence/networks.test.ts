import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { batchOf, type Batch } from '../../../shared/recommender/sequence/batch.ts';
import { addGradient, emptyGradient, gatherRows, type Differentiable } from '../../../shared/recommender/sequence/gradient.ts';
import type { Architecture, SequenceHyperParameters } from '../../../shared/recommender/sequence/hyper-parameters.ts';
import { denseBlocks } from '../../../shared/recommender/sequence/layout.ts';
import type { BatchTensors, RowTensors, Tf } from '../../../shared/recommender/sequence/network.ts';
import { gru4recStates } from '../../../shared/recommender/sequence/gru4rec.ts';
import { sasrecStates } from '../../../shared/recommender/sequence/sasrec.ts';
import { twoTowerStates } from '../../../shared/recommender/sequence/two-tower.ts';
import { windowsOf } from '../../../shared/recommender/sequence/windows.ts';
import { loadTensors } from '../../../shared/tensors/runtime.ts';
import { visits } from '../fixtures.ts';
import { architectures, randomNetwork, settingsOf } from './fixtures.ts';

const items = 9;
/** Of different lengths, so that padding is part of it. */
const histories = [visits([0], [1], [2, 3], [4], [0]), visits([5, 6], [7])];
let tf: Tf;

beforeAll(async () => {
  ({ tf } = await loadTensors());
});

function batchFor(settings: SequenceHyperParameters): Batch {
  const rules = { items, ...settings };
  const random = seededRandom(1, 'batch');
  return batchOf(histories.flatMap((history) => windowsOf(history, rules, random)), rules, random);
}

function statesOf(architecture: Architecture, settings: SequenceHyperParameters, rows: RowTensors, weights: Readonly<Record<string, ReturnType<Tf['tensor']>>>, batch: BatchTensors): ReturnType<typeof sasrecStates> {
  switch (architecture) {
    case 'sasrec':
      return sasrecStates(tf, rows, weights, batch, settings);
    case 'gru4rec':
      return gru4recStates(tf, rows, weights, batch);
    case 'two-tower':
      return twoTowerStates(tf, rows, weights, batch);
    default:
      return architecture satisfies never;
  }
}

describe.each(architectures)('%s', (architecture) => {
  it.each(['softmax', 'bce'] as const)('has the gradient that finite differences of the %s loss show', (loss) => {
    const settings = settingsOf(architecture, { loss });
    const { network, layout, weights } = randomNetwork(settings, items);
    const differentiable: Differentiable = { tf, network, layout, loss };
    const batch = batchFor(settings);
    const gradient = emptyGradient(layout);
    addGradient(differentiable, weights, batch, null, gradient);
    const lossAt = (at: number, by: number): number => {
      const moved = weights.slice();
      moved[at] += by;
      return addGradient(differentiable, moved, batch, null, emptyGradient(layout));
    };
    const random = seededRandom(2, 'coordinates');
    const touched = [...gradient.touched].flatMap((item) => [item * settings.width + random.nextBelow(settings.width), layout.bias + item]);
    const dense = layout.blocks.map(({ from, length }) => from + random.nextBelow(length));
    const step = 0.002;
    for (const at of [...touched, ...dense]) {
      const slope = (lossAt(at, step) - lossAt(at, -step)) / (2 * step);
      // Single precision: a loss near 2 is known to about 2e-7, hence a slope to about 2e-4, and the curvature's share.
      expect(Math.abs(gradient.values[at] - slope), `coordinate ${at}`).toBeLessThan(2e-3 + 0.02 * Math.abs(slope));
    }
    expect(gradient.values.some((value) => Math.abs(value) > 0.01)).toBe(true);
  });

  it('ranks in typed arrays as it trains in tensors, for every length of history', () => {
    const settings = settingsOf(architecture);
    const { network, layout, weights } = randomNetwork(settings, items);
    const { size, length, inputs } = batchFor(settings);
    const states = tf.tidy(() => {
      const rows = { inputs: tf.tensor2d(gatherRows(weights, inputs, settings.width), [inputs.length, settings.width]) } as unknown as RowTensors;
      const dense = Object.fromEntries(layout.blocks.map(({ name, shape, from, length: count }) => [name, tf.tensor(weights.slice(from, from + count), [...shape])]));
      const present = tf.tensor3d(Float32Array.from(inputs, (item) => (item < 0 ? 0 : 1)), [size, length, 1]);
      return statesOf(architecture, settings, rows, dense, { size, length, present, dropout: null, loss: 'softmax' } as unknown as BatchTensors).dataSync();
    });
    for (let window = 0; window < size; window += 1) {
      const own = inputs.subarray(window * length, (window + 1) * length);
      for (let place = 0; place < length; place += 1) {
        const known = own.subarray(0, place + 1).filter((item) => item >= 0);
        // Places are counted from the right: only of the newest input are they those of a ranking.
        if (known.length === 0 || (architecture === 'sasrec' && place < length - 1)) continue;
        const state = network.encode(denseBlocks(layout, weights), gatherRows(weights, known, settings.width));
        const start = (window * length + place) * settings.width;
        state.forEach((value, k) => expect(value).toBeCloseTo(states[start + k], 4));
      }
    }
  });

  it('leaves no tensor behind', () => {
    const settings = settingsOf(architecture, { dropout: 0.5 });
    const { network, layout, weights } = randomNetwork(settings, items);
    const before = tf.memory().numTensors;
    addGradient({ tf, network, layout, loss: 'softmax' }, weights, batchFor(settings), { rate: 0.5, random: seededRandom(4, 'dropout') }, emptyGradient(layout));
    expect(tf.memory().numTensors).toBe(before);
  });
});
