/** The stage of an audit: shops and their honest sums under each of the terms, and rounds over what reports are given. */
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import type { Split } from '../../../shared/evaluation/splits.ts';
import { combineGroups, dealShops } from '../../../shared/evaluation/simulated-round.ts';
import { simulatedNoise } from '../../../shared/evaluation/simulated-noise.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { createReportSum } from '../../../shared/federation/report-sum.ts';
import { startStatistic } from '../../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { addWords } from '../../../shared/secagg/ring.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { quorumOf, type Defence, type Terms } from './settings.ts';

export interface Stage {
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  readonly parts: Split;
  /** Histories of each shop's shoppers. */
  readonly shops: readonly (readonly ShopperHistory[])[];
  readonly epsilon: number;
  readonly delta: number;
  /** Of the plan: what one shop may claim. */
  readonly maxShoppers: number;
  readonly honest: Map<Terms, HonestSums>;
  /** Drawn once: attacks are compared under the same noise. */
  readonly noise: Map<string, Int32Array | null>;
}

export interface HonestSums {
  readonly plan: Plan;
  /** One a shop, before noise. */
  readonly sums: readonly Int32Array[];
  /** The same of every other shopper of each shop, and of the rest. */
  readonly halves: readonly [readonly Int32Array[], readonly Int32Array[]];
}

export function honestSums(stage: Stage, { terms, robust }: Pick<Defence, 'terms' | 'robust'>): HonestSums {
  const known = stage.honest.get(terms);
  if (known !== undefined) return known;
  const plan = planOf(stage, terms, robust);
  const half = (parity: number): Int32Array[] => stage.shops.map((histories) => sumOf(stage, plan, histories.filter((_, i) => i % 2 === parity)));
  const halves = [half(0), half(1)] as const;
  const sums = halves[0].map((sum, shop) => {
    const whole = sum.slice();
    addWords(whole, halves[1][shop], 1);
    return whole;
  });
  const honest = { plan, sums, halves };
  stage.honest.set(terms, honest);
  return honest;
}

/** What an honest shop makes of these shoppers. */
export function sumOf({ model }: Stage, plan: Plan, histories: readonly ShopperHistory[]): Int32Array {
  const statistic = startStatistic(model, model.initial(), plan, seededRandom(0, 'rounding'));
  for (const history of histories) statistic.add(history);
  return statistic.finish();
}

function planOf({ model, catalogue, shops, epsilon, delta, maxShoppers }: Stage, terms: Terms, robust: Defence['robust']): Plan {
  const mode = terms === 'masked' || terms === 'grouped' ? 'distributed' : 'local';
  const task = parseTaskSpec({
    name: 'poisoning',
    model: { kind: model.kind },
    privacy: terms === 'plain' ? { mode: 'none' } : { mode, epsilon, delta },
    ...(terms === 'grouped' ? { robust } : {}),
    cohort: { minParticipants: quorumOf(shops.length), targetParticipants: shops.length, overSelection: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
    maxShoppersPerShop: maxShoppers,
  });
  const plan = makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
  // The bounds of a plan without its noise: no such plan is made for real, where noise is what bounds are for.
  return terms === 'clipped' ? { ...plan, privacy: { mode: 'none' } } : plan;
}

function noiseOf({ noise }: Stage, terms: Terms, plan: Plan, { stream, participants }: { readonly stream: string; readonly participants: number | undefined }): Int32Array | null {
  const name = `${terms} ${stream}`;
  const known = noise.get(name);
  if (known !== undefined) return known;
  const drawn = simulatedNoise('skellam').next(plan, seededRandom(0, name), participants);
  noise.set(name, drawn);
  return drawn;
}

/** Parameters from the reports of a round: noised, grouped, and combined as the defence says. */
export function train(stage: Stage, plan: Plan, { terms, robust }: Defence, reports: readonly Int32Array[], seed: number): unknown {
  const { model } = stage;
  const noised = (shop: number, participants?: number): Int32Array => {
    const drawn = noiseOf(stage, terms, plan, { stream: `${seed} ${shop}`, participants });
    return drawn === null ? reports[shop] : drawn.map((value, at) => value + reports[shop][at]);
  };
  if (plan.robust?.groups !== undefined) return model.update(model.initial(), combineGroups(plan, plan.robust, dealShops(plan, reports.length, seed), noised));
  const collected = createReportSum(robust === undefined ? plan : { ...plan, robust });
  reports.forEach((_report, shop) => collected.add(noised(shop)));
  return model.update(model.initial(), collected.decode());
}
