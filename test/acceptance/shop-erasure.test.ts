import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { simulateRound, type SimulatedBase } from '../../shared/evaluation/simulated-round.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import { openRelease, sealRelease } from '../../shared/federation/release.ts';
import { foldSum } from '../../shared/federation/strategies/fold.ts';
import { strategyTensorsOf } from '../../shared/federation/strategies/state-tensors.ts';
import type { StrategyInput } from '../../shared/federation/strategies/strategy.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { tensorsDigest, type NamedTensors } from '../../shared/protocol/tensors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { buyer, quadraticCatalogue, quadraticModel } from '../federation/quadratic.ts';
import { basket, catalogueOf } from '../ranking/training.ts';

interface Federation {
  readonly task: TaskSpec;
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  /** Those that stay; then the one that is removed. */
  readonly shops: readonly (readonly ShopperHistory[])[];
}

const rest = { cohort: { minParticipants: 1, targetParticipants: 3, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, maxShoppersPerShop: 10 };

/** Three baskets of one shop, with noise in every round. */
function noisy(kind: 'als' | 'neighbours'): Federation {
  const catalogue = catalogueOf('a', 'b', 'c', 'd', 'e', 'f');
  const model = createModel(kind, catalogue, {});
  const task = parseTaskSpec({ name: 'main', model: { kind, hyperParameters: model.hyperParameters }, privacy: { mode: 'local', epsilon: 8, delta: 1e-5, rounds: 4 }, ...rest });
  return { task, model, catalogue, shops: [[basket(0, 1), basket(0, 1, 2)], [basket(3, 4), basket(2, 3)], [basket(4, 5), basket(0, 5), basket(5)]] };
}

/** Shops that train by themselves, under a strategy that keeps momentum from round to round. */
function withMomentum(strategy: StrategyInput): Federation {
  const task = parseTaskSpec({ name: 'main', model: { kind: 'sequence' }, privacy: { mode: 'none', rounds: 4 }, ...rest, maxShoppersPerShop: undefined, unit: 'shop', strategy });
  return { task, model: quadraticModel(), catalogue: quadraticCatalogue, shops: [[buyer(0), buyer(0, 1)], [buyer(2), buyer(2), buyer(3)], [buyer(0, 0, 4)]] };
}

const key = signingKey(randomBytes(32));
const seed = 7;

/** The tensors of a release, as a coordinator seals them: parameters, and the state of the strategy. */
async function trainRound({ task, model, catalogue }: Federation, base: SimulatedBase, round: number, shops: Federation['shops']): Promise<{ base: SimulatedBase; tensors: NamedTensors }> {
  const plan = makePlan(task, { model, catalogue, roundNumber: round, baseRelease: null });
  const { aggregate, participants, owns } = await simulateRound(plan, model, base, shops).sum(seed);
  const folded = foldSum(model, base, { plan, aggregate, participants });
  return { base: { ...folded, owns }, tensors: { ...model.encode(folded.params), ...folded.strategy } };
}

/** What a coordinator has on disk of a release, read back. */
async function checkpoint({ model, catalogue, task }: Federation, tensors: NamedTensors): Promise<SimulatedBase> {
  const { bytes } = sealRelease({
    task: task.name, version: 1, round: 'main-1', createdAt: '2026-01-01T00:00:00Z', model: { kind: model.kind, hyperParameters: {} }, catalogueHash: catalogue.hash, planHash: 'ab'.repeat(32), cohort: 2, shoppers: 4,
    privacy: { mode: 'none', unit: 'shopper', adjacency: 'add or remove one', epsilon: null, delta: null, noiseStd: 0, clipNorm: null, assumptions: [] }, metrics: {}, parent: null, nextClipNorm: null,
  }, tensors, key);
  const opened = await openRelease(bytes, key.publicKey);
  return { params: model.decode(opened.tensors), strategy: strategyTensorsOf(opened.manifest, opened.tensors) };
}

/** Digests of the releases of rounds 1..4, with the last shop taking part in those that are named. */
async function releases(federation: Federation, roundsOfLast: readonly number[]): Promise<{ digests: string[]; first: NamedTensors }> {
  let base: SimulatedBase = { params: federation.model.initial(), strategy: null };
  const all: NamedTensors[] = [];
  for (let round = 1; round <= 4; round += 1) {
    const trained = await trainRound(federation, base, round, roundsOfLast.includes(round) ? federation.shops : federation.shops.slice(0, -1));
    base = trained.base;
    all.push(trained.tensors);
  }
  return { digests: all.map(tensorsDigest), first: all[0] };
}

async function replayed(federation: Federation, from: NamedTensors): Promise<string[]> {
  let base = await checkpoint(federation, from);
  const digests: string[] = [];
  for (const round of [2, 3, 4]) {
    const trained = await trainRound(federation, base, round, federation.shops.slice(0, -1));
    base = trained.base;
    digests.push(tensorsDigest(trained.tensors));
  }
  return digests;
}

describe('capability 10: a shop is erased from what was learnt', () => {
  const federations = {
    'pairs of items under noise': noisy('neighbours'),
    'factors under noise': noisy('als'),
    'local training with momentum': withMomentum({ kind: 'fedavgm' }),
    'local training with FedAdam': withMomentum({ kind: 'fedadam' }),
  };
  for (const [name, federation] of Object.entries(federations)) {
    it(`capability 10: the checkpoint before it joined, replayed without it, is the model trained without it, bit for bit (${name})`, async () => {
      const withIt = await releases(federation, [2, 3, 4]);
      const withoutIt = await releases(federation, []);
      // The shop did leave a trace, so there is something to erase.
      for (const round of [1, 2, 3]) expect(withIt.digests[round]).not.toBe(withoutIt.digests[round]);
      expect(await replayed(federation, withIt.first)).toEqual(withoutIt.digests.slice(1));
    });
  }
});
