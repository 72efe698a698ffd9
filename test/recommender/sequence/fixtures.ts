/** Small sequence models, and their states computed in tensors. */
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import type { FederatedModel, LocalTraining } from '../../../shared/recommender/federated-model.ts';
import { architectures, sequenceHyperParameters, type Architecture, type SequenceHyperParameters } from '../../../shared/recommender/sequence/hyper-parameters.ts';
import { layOut, startWeights, type Layout } from '../../../shared/recommender/sequence/layout.ts';
import { createSequence, type SequenceParams } from '../../../shared/recommender/sequence/model.ts';
import type { SequenceNetwork } from '../../../shared/recommender/sequence/network.ts';
import { networkOf } from '../../../shared/recommender/sequence/networks.ts';
import { teaCatalogue, visits } from '../fixtures.ts';

export { architectures };

export const settingsOf = (architecture: Architecture, others: Partial<SequenceHyperParameters> = {}): SequenceHyperParameters =>
  sequenceHyperParameters.parse({ architecture, width: 6, positions: 5, negatives: 4, dropout: 0, ...others });

/** Weights that are all different from zero, so that no part of a network is left out by chance. */
export function randomNetwork(settings: SequenceHyperParameters, items: number): { network: SequenceNetwork; layout: Layout; weights: Float32Array } {
  const network = networkOf(settings);
  const layout = layOut(items, settings.width, network.blocks);
  const random = seededRandom(3, 'weights');
  const weights = startWeights(layout, new Float32Array(items * settings.width)).map((value) => value + 0.6 * (random.nextFloat() - 0.5));
  return { network, layout, weights };
}

export async function preparedModel(settings: SequenceHyperParameters, items: number): Promise<FederatedModel<SequenceParams>> {
  const model = createSequence(teaCatalogue(items), settings);
  await model.prepare?.();
  return model;
}

export const training = (seed: number, others: Partial<LocalTraining> = {}): LocalTraining => ({
  random: seededRandom(seed, 'training'),
  proximal: 0,
  correction: null,
  steps: null,
  pause: () => Promise.resolve(),
  ...others,
});

/** Shoppers who go round a circle of items from where they happen to enter it, one item a visit. */
export const roundabout = (items: number, shoppers: number, length: number): ShopperHistory[] =>
  Array.from({ length: shoppers }, (_, shopper) => visits(...Array.from({ length }, (_step, step) => [(shopper * 5 + step) % items])));
