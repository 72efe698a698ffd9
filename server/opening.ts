/**
 * What has to stand before anybody is invited to a round: catalogue and model, the plan, its reservation in the journal,
 * and both in the public record.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { roundCost, taskBudget } from '../shared/federation/budget-report.ts';
import { planEvents } from '../shared/federation/plan-cost.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import { continuesFrom, nextModel, withFirstCount, type StageModel, type StageRelease } from '../shared/federation/stages.ts';
import { makePlan, type TaskSpec } from '../shared/federation/task.ts';
import { reserve } from '../shared/privacy/budget.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import type { Gateway } from './gateway.ts';
import { requireRecordable, type RoundLedger } from './ledger/round-ledger.ts';
import type { LoadedRelease, Releases } from './releases.ts';
import type { Spend, SpendRecord, Storage } from './storage/storage.ts';

export interface OpeningContext {
  readonly task: TaskSpec;
  readonly storage: Storage;
  readonly releases: Releases;
  readonly gateway: Pick<Gateway, 'ready'>;
  readonly room: CatalogueRoom;
  /** Makes the catalogue durable, before a plan names it; harmless to repeat. */
  readonly keepCatalogue: (catalogue: Catalogue) => Promise<void>;
  readonly createModel: (catalogue: Catalogue, stage: StageModel) => AnyFederatedModel;
  /** Puts the plan of a round into the public record; if that fails, so has the round. */
  readonly openLedger: (plan: Plan, signal: AbortSignal) => Promise<RoundLedger>;
}

/** A round that may begin: journal first, then the public record, and it is in both. */
export interface Opening {
  readonly plan: Plan;
  readonly model: AnyFederatedModel;
  readonly ledger: RoundLedger;
}

export interface Opener {
  /** @throws CestaError `budget.exhausted`, `storage.failed`, `round.failed`, `catalogue.invalid` and others. */
  open(signal: AbortSignal): Promise<Opening>;
}

export function createOpener(context: OpeningContext): Opener {
  const modelOf = keepNewest(context.createModel);
  return {
    async open(signal) {
      const { storage, openLedger } = context;
      const { task, model, catalogue, baseRelease, clipNorm } = await settleStage(context, modelOf);
      const number = await storage.nextRoundNumber(task.name);
      const plan = makePlan(task, { model, catalogue, roundNumber: number, baseRelease, clipNorm });
      requireRecordable(plan);
      await storage.openRound({ task: task.name, number, plan, planHash: planHash(plan), spend: spendOf(plan), admit: plan.privacy.mode === 'none' ? null : (spends) => admit(task, plan, spends) });
      return { plan, model, ledger: await openLedger(plan, signal) };
    },
  };
}

interface Stage {
  /** With the rounds that it really takes over this catalogue. */
  readonly task: TaskSpec;
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  readonly baseRelease: string | null;
  readonly clipNorm: number | null;
}

/** Fixes the catalogue if it is open still, and says what the next round trains. */
async function settleStage({ task: asked, room, gateway, keepCatalogue, releases }: OpeningContext, modelOf: OpeningContext['createModel']): Promise<Stage> {
  await releases.settle();
  const { current } = releases;
  const catalogue = room.fixed ?? room.unite(gateway.ready());
  const task = withFirstCount(asked, catalogue);
  const stage = nextModel(task, catalogue, stageOf(current));
  const model = modelOf(catalogue, stage);
  const baseRelease = continuesFrom(stage, stageOf(current)) ? (current?.sha256 ?? null) : null;
  // A catalogue for which no plan can be made is not kept: other shops may bring a better one.
  if (room.fixed === null) makePlan(task, { model, catalogue, roundNumber: 1, baseRelease });
  await keepCatalogue(catalogue);
  room.fix(catalogue);
  return { task, model, catalogue, baseRelease, clipNorm: current?.manifest.nextClipNorm ?? null };
}

/** A model is made once as long as rounds train the same. */
function keepNewest(createModel: OpeningContext['createModel']): OpeningContext['createModel'] {
  let made: { readonly stage: string; readonly catalogue: string; readonly model: AnyFederatedModel } | null = null;
  return (catalogue, stage) => {
    const name = canonicalJson(stage);
    if (made?.stage !== name || made.catalogue !== catalogue.hash) made = { stage: name, catalogue: catalogue.hash, model: createModel(catalogue, stage) };
    return made.model;
  };
}

function stageOf(current: LoadedRelease | null): StageRelease | null {
  return current === null ? null : { model: current.manifest.model, params: current.params };
}

function spendOf(plan: Plan): Spend {
  const { epsilon, delta, events } = roundCost(plan);
  return { epsilon, delta, event: events.map((event) => ({ ...event })) };
}

/** @throws CestaError `budget.exhausted` when the task's filter does not admit the plan after what was spent. */
function admit(task: TaskSpec, plan: Plan, spends: readonly SpendRecord[]): void {
  const budget = taskBudget(task, spends);
  if (budget !== null) reserve(budget, plan.round, planEvents(plan));
}
