/**
 * What the next round of a task is for: a candidate that waits for its evaluation comes first, then training. Each comes
 * with what becomes of its sum.
 */
import type { Logger } from 'pino';
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { createReleaseScores } from '../shared/evaluation/release-scores.ts';
import { continuesFrom, nextModel, withFirstCount, type StageModel, type StageRelease } from '../shared/federation/stages.ts';
import { makePlan, type TaskSpec } from '../shared/federation/task.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import type { AnyFederatedModel, AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import { createGate, type Gate } from './gate.ts';
import type { Gateway } from './gateway.ts';
import type { RoundLedger } from './ledger/round-ledger.ts';
import type { LoadedRelease, Releases, Sum } from './releases.ts';
import type { Conclusion } from './rounds.ts';
import type { Storage } from './storage/storage.ts';

export interface NextRound {
  /** With the rounds that it really takes over this catalogue. */
  readonly task: TaskSpec;
  readonly statistic: AnyStatistic;
  readonly catalogue: Catalogue;
  readonly baseRelease: string | null;
  readonly clipNorm: number | null;
  readonly conclude: (sum: Sum, ledger: RoundLedger) => Promise<Conclusion>;
}

export interface RoundSource {
  /** Fixes the catalogue if it is open still. */
  next(): Promise<NextRound>;
  /** Carries out what a gate decided before; then, whether there is a candidate to be scored. */
  awaitsEvaluation(): Promise<boolean>;
}

export interface RoundSourceOptions {
  readonly task: TaskSpec;
  readonly storage: Storage;
  readonly releases: Releases;
  readonly gateway: Pick<Gateway, 'ready'>;
  readonly room: CatalogueRoom;
  /** Makes the catalogue durable, before a plan names it; harmless to repeat. */
  readonly keepCatalogue: (catalogue: Catalogue) => Promise<void>;
  readonly createModel: (catalogue: Catalogue, stage: StageModel) => AnyFederatedModel;
  readonly logger: Logger;
}

/** The task with the rounds that it really takes, as far as the catalogue is known. */
export function taskIn({ fixed }: Pick<CatalogueRoom, 'fixed'>, task: TaskSpec): TaskSpec {
  return fixed === null ? task : withFirstCount(task, fixed);
}

export function createRoundSource(options: RoundSourceOptions): RoundSource {
  const { task, releases, room } = options;
  const gate = createGate({ ...options, rounds: () => taskIn(room, task).privacy.rounds });
  const modelOf = lastModel(options.createModel);
  return {
    async next() {
      await releases.settle();
      return (await nextEvaluation(options, gate)) ?? nextTraining(options, modelOf);
    },
    async awaitsEvaluation() {
      await releases.settle();
      return (await gate.next()) !== null && room.fixed !== null;
    },
  };
}

/** Makes a model once as long as rounds train the same. */
function lastModel(createModel: RoundSourceOptions['createModel']): RoundSourceOptions['createModel'] {
  let made: { readonly stage: string; readonly catalogue: string; readonly model: AnyFederatedModel } | null = null;
  return (catalogue, stage) => {
    const name = canonicalJson(stage);
    if (made?.stage !== name || made.catalogue !== catalogue.hash) made = { stage: name, catalogue: catalogue.hash, model: createModel(catalogue, stage) };
    return made.model;
  };
}

async function nextEvaluation({ task, room, keepCatalogue }: RoundSourceOptions, gate: Gate): Promise<NextRound | null> {
  const evaluation = await gate.next();
  if (evaluation === null || room.fixed === null) return null;
  // Over another catalogue than that of its releases a task scores nothing, as it trains nothing: shops would be charged and fail.
  await keepCatalogue(room.fixed);
  const statistic = createReleaseScores(room.fixed, evaluation.compared);
  return {
    task: taskIn(room, task), statistic, catalogue: room.fixed, baseRelease: null, clipNorm: null,
    async conclude(sum, ledger) {
      await ledger.survivors(sum.survivors, sum.groups ?? null);
      return evaluation.conclude(sum);
    },
  };
}

async function nextTraining({ task: asked, room, gateway, keepCatalogue, releases }: RoundSourceOptions, modelOf: RoundSourceOptions['createModel']): Promise<NextRound> {
  const { current } = releases;
  const catalogue = room.fixed ?? room.unite(gateway.ready());
  const task = withFirstCount(asked, catalogue);
  const stage = nextModel(task, catalogue, stageOf(current));
  const model = modelOf(catalogue, stage);
  // A clip norm is that of a model's contributions: those of a first count say nothing of what comes after it.
  const base = continuesFrom(stage, stageOf(current)) ? current : null;
  const baseRelease = base?.sha256 ?? null;
  // A catalogue for which no plan can be made is not kept: other shops may bring a better one.
  if (room.fixed === null) makePlan(task, { model, catalogue, roundNumber: 1, baseRelease });
  await keepCatalogue(catalogue);
  room.fix(catalogue);
  return {
    task, statistic: model, catalogue, baseRelease, clipNorm: base?.manifest.nextClipNorm ?? null,
    conclude: (sum, ledger) => publish({ task, releases, catalogue }, model, sum, ledger),
  };
}

function stageOf(current: LoadedRelease | null): StageRelease | null {
  return current === null ? null : { model: current.manifest.model, params: current.params };
}

/** The first release is served as it is: neither gate nor canary has anything to compare it with. */
async function publish({ task, releases, catalogue }: Pick<RoundSourceOptions, 'task' | 'releases'> & Pick<NextRound, 'catalogue'>, model: AnyFederatedModel, sum: Sum, ledger: RoundLedger): Promise<Conclusion> {
  const hold = task.gate !== undefined && releases.current !== null;
  const release = await releases.publish(model, sum, {
    hold,
    ...(task.canary === undefined ? {} : { canary: { spec: task.canary, catalogue } }),
    record: ({ manifest, sha256 }, write, held) => ledger.released({ version: manifest.version, sha256, survivors: sum.survivors, groups: sum.groups ?? null, held }, write),
  });
  return { version: release.manifest.version, sha256: release.sha256 };
}
