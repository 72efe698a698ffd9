/**
 * What the coordinator's view gives an attacker, with and without each protection, on the contributions of real
 * shoppers. The protections are attacked one by one and together, so that what each is for can be seen; the plain
 * upload must fall, or the attacks prove nothing.
 */
import { readDataset, type ReadOptions } from '../../../client/shop/read-data.ts';
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import { distinctItems, ofShoppers, type ShopperHistory } from '../../../shared/commerce/history.ts';
import { evidenceReader, type EvidenceReader } from '../../../shared/evaluation/attacks/item-evidence.ts';
import { attackChannel, exclusiveShares, type AttackFindings, type Cast } from '../../../shared/evaluation/attacks/suite.ts';
import { createChannel, gridVectors } from '../../../shared/evaluation/attacks/views.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { seededRandom, shuffle } from '../../../shared/numerics/random.ts';
import { CestaError, requireNumber } from '../../../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createModel, deploymentDefaults, parseModelKind } from '../../../shared/recommender/registry.ts';
import { simulatedToday, splitDataset } from '../../evaluate.ts';
import { aesMasker } from './aes-mask.ts';
import { settingsOf, type Setting } from './settings.ts';
import { judge, type Verdict } from './verdict.ts';

export interface AttackOptions {
  readonly data: string;
  readonly read?: ReadOptions;
  readonly model: string;
  /** Victims; the attacker practises on as many others. */
  readonly shoppers: number;
  /** Sizes of the sums. */
  readonly participants: readonly number[];
  readonly epsilons: readonly number[];
  readonly delta: number;
  readonly seed: number;
  /** Of the planned noise: what a build that adds too little would show. */
  readonly noiseFactor?: number;
}

export interface AttackRow extends Setting, AttackFindings {
  /** Standard deviation of the noise in the view over the clip norm. */
  readonly noiseMultiplier: number;
}

/** How much of a sum without noise speaks of one participant alone. */
export interface ExclusiveRow {
  readonly participants: number;
  /** By block of the statistic. */
  readonly shares: Readonly<Record<string, number>>;
}

export interface AttackReport {
  readonly model: string;
  readonly shoppers: number;
  /** Shoppers the attacker knows in general, from whom cohorts are drawn. */
  readonly population: number;
  readonly items: number;
  readonly delta: number;
  readonly seed: number;
  readonly rows: readonly AttackRow[];
  readonly exclusive: readonly ExclusiveRow[];
  readonly verdict: Verdict;
}

/** @throws CestaError `model.unknown`, `model.unusable`, `config.invalid`, `privacy.invalid` and whatever reading the data may */
export async function auditAttacks(options: AttackOptions): Promise<AttackReport> {
  const { delta, seed, shoppers, participants, epsilons } = options;
  const stage = await openStage(options);
  const rows = settingsOf(participants, epsilons).map((setting) => attackSetting(stage, setting));
  const plain = castOf(stage, null).cast;
  return {
    model: stage.model.kind,
    shoppers,
    population: plain.others.length,
    items: stage.reader.items,
    delta,
    seed,
    rows,
    exclusive: participants.map((count) => ({ participants: count, shares: exclusiveShares(count, stage.reader, plain, seed) })),
    verdict: judge(rows),
  };
}

/** What all settings have in common. @throws CestaError as {@link auditAttacks} */
export async function openStage(options: AttackOptions): Promise<Stage> {
  requireSettings(options);
  const kind = parseModelKind(options.model);
  const { catalogue, ...dataset } = await readDataset(options.data, options.read);
  const parts = splitDataset({ ...dataset, catalogue }, 'last-basket');
  const model = createModel(kind, catalogue, deploymentDefaults(kind, { asOf: simulatedToday(parts) }));
  const reader = evidenceReader(model, catalogue);
  const histories = shuffle(ofShoppers(parts.training), seededRandom(options.seed, 'cast'));
  requireCast(histories.length, options);
  return { model, catalogue, reader, histories, options, casts: new Map() };
}

/** Before minutes of work: the settings, then whether the data has shoppers enough for them. */
function requireSettings({ shoppers, participants, epsilons }: AttackOptions): void {
  requireNumber('shoppers', shoppers, 2, 1e6);
  if (participants.length === 0 || epsilons.length === 0) throw new CestaError('config.invalid', `participants, epsilons: expected one or more of each, got ${participants.length} and ${epsilons.length}`);
  for (const count of participants) requireNumber('participants', count, 2, 1e6);
}

function requireCast(available: number, { shoppers, participants }: AttackOptions): void {
  const largest = Math.max(...participants);
  if (2 * shoppers + largest > available) {
    throw new CestaError('config.invalid', `shoppers: expected at most ${Math.max(0, Math.floor((available - largest) / 2))} victims beside a sum of ${largest} with ${available} shoppers in the data, got ${shoppers}`);
  }
}

/** What stays the same over the settings. */
export interface Stage {
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  readonly reader: EvidenceReader;
  readonly histories: readonly ShopperHistory[];
  readonly options: AttackOptions;
  /** Contributions on the grid of each plan, by its epsilon. */
  readonly casts: Map<number | null, PlannedCast>;
}

interface PlannedCast {
  readonly plan: Plan;
  readonly cast: Cast;
}

export function attackSetting(stage: Stage, setting: Setting): AttackRow {
  const { model, reader, options: { seed, noiseFactor = 1 } } = stage;
  const { plan, cast } = castOf(stage, setting.planEpsilon);
  const channel = createChannel({
    plan,
    length: model.statisticLength(),
    noiseFactor: setting.epsilon === null ? 0 : noiseFactor,
    mask: setting.isMasked ? aesMasker(seed) : undefined,
    seed,
  });
  const noiseMultiplier = plan.bounds.clipNorm === null ? 0 : channel.noiseStd / plan.bounds.clipNorm;
  return { ...setting, noiseMultiplier, ...attackChannel(channel, setting.participants, reader, cast, seed) };
}

function castOf(stage: Stage, epsilon: number | null): PlannedCast {
  const known = stage.casts.get(epsilon);
  if (known !== undefined) return known;
  const { model, histories, options: { shoppers } } = stage;
  const plan = attackPlan(stage, epsilon);
  const subjects = gridVectors(plan, model, histories).map((vector, index) => ({ vector, touched: distinctItems(histories[index]) }));
  const cast = { victims: subjects.slice(0, shoppers), shadows: subjects.slice(shoppers, 2 * shoppers), others: subjects.slice(2 * shoppers) };
  const planned = { plan, cast };
  stage.casts.set(epsilon, planned);
  return planned;
}

/**
 * A plan of mode `local` has the noise that one sum needs. In mode `distributed` the shares that are counted on add up
 * to it, and whatever else arrives comes on top: this is the least that a sum of that mode can hold.
 */
function attackPlan({ model, catalogue, options: { delta, participants } }: Stage, epsilon: number | null): Plan {
  const task = parseTaskSpec({
    name: 'attacks',
    model: { kind: model.kind },
    privacy: epsilon === null ? { mode: 'none' } : { mode: 'local', epsilon, delta },
    cohort: { minParticipants: 1, targetParticipants: 1, overSelection: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
    maxShoppersPerShop: Math.max(...participants),
  });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}
