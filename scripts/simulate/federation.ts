/** One federation of a simulation: its task, and what stays the same over its rounds. */
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import type { PlanContext, TaskSpec } from '../../shared/federation/task.ts';
import { makePlan } from '../../shared/federation/task.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { sessionsOf } from '../../shared/federation/session-cohort.ts';
import { withFirstCount, type StageModel } from '../../shared/federation/stages.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { encodeTensors } from '../../shared/protocol/tensors.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createModel, deploymentDefaults } from '../../shared/recommender/registry.ts';
import { planAttack, type Attack } from './attack.ts';
import type { Served } from './checkpoint.ts';
import { requireConsistent } from './contradictions.ts';
import { scheduleOf, secondsBetweenRounds, type Moment } from './schedule.ts';
import { taskOf, type CohortShape } from './task.ts';
import { clientsOf, shoppersOfClient, type World } from './world.ts';

export interface Federation {
  readonly world: World;
  /** With the rounds that it really takes. */
  readonly task: TaskSpec;
  readonly rounds: number;
  readonly momentOf: (round: number) => Moment;
  readonly attack: Attack | null;
  /** Models are kept: what a catalogue's text tells takes longer than a small round. */
  readonly modelOf: (stage: StageModel) => AnyFederatedModel;
  /** As a deployment of that day would set it up. */
  readonly stageAt: (stage: StageModel, asOf: number) => StageModel;
  readonly planOf: (context: Omit<PlanContext, 'catalogue'>) => Plan;
  /** The parameters as a file; null where there are none. */
  readonly sealed: (served: Served | null) => Uint8Array | null;
}

export type FederationTask = Pick<Federation, 'task' | 'momentOf'> & { readonly first: StageModel };

/**
 * The task of a scenario, which takes no time to make: what is refused here is refused before anything runs.
 * @throws CestaError `plan.invalid`, `privacy.*` or `config.invalid` for what neither a coordinator nor a simulation would take
 */
export function federationTask(world: World): FederationTask {
  const { scenario, dataset: { catalogue } } = world;
  const momentOf = scheduleOf(world);
  const { kind, hyperParameters } = scenario.model;
  const first = { kind, hyperParameters: { ...deploymentDefaults(kind, { asOf: momentOf(1).asOf, everySeconds: secondsBetweenRounds(scenario) }), ...hyperParameters } };
  const shape = shapeOf(world);
  const task = withFirstCount(taskOf(scenario, first, shape), catalogue);
  requireConsistent(scenario, { participants: clientsOf(world), target: shape.target, mostMasked: mostMasked(task) });
  return { task, momentOf, first };
}

/** @throws CestaError as {@link federationTask} */
export function openFederation(world: World): Federation {
  const { task, momentOf, first } = federationTask(world);
  const { scenario, dataset: { catalogue } } = world;
  const { modelOf } = modelsOver(catalogue);
  const given = scenario.model.hyperParameters;
  const stageAt = ({ kind, hyperParameters }: StageModel, asOf: number): StageModel => ({ kind, hyperParameters: { ...hyperParameters, ...deploymentDefaults(kind, { asOf, everySeconds: secondsBetweenRounds(scenario) }), ...given } });
  return {
    world,
    task,
    rounds: task.privacy.rounds,
    momentOf,
    attack: planAttack(world, modelOf(first)),
    modelOf,
    stageAt: scenario.schedule.kind === 'calendar' ? stageAt : (stage) => stage,
    planOf: (context) => makePlan(task, { ...context, catalogue }),
    sealed: (served) => (served === null ? null : encodeTensors(modelOf(served.model).encode(served.params), { model: canonicalJson({ ...served.model }) })),
  };
}

/** The last few: a calendar has another model each round. */
const keptModels = 4;

function modelsOver(catalogue: Catalogue): Pick<Federation, 'modelOf'> {
  const models = new Map<string, AnyFederatedModel>();
  return {
    modelOf({ kind, hyperParameters }) {
      const name = canonicalJson({ kind, hyperParameters });
      const known = models.get(name);
      if (known !== undefined) return known;
      const oldest = models.keys().next();
      if (models.size === keptModels && oldest.done !== true) models.delete(oldest.value);
      const model = createModel(kind, catalogue, hyperParameters);
      models.set(name, model);
      return model;
    },
  };
}

/** Members of one masked sum at most; 0 where nothing is masked. */
function mostMasked({ privacy, cohort, robust }: TaskSpec): number {
  if (privacy.mode !== 'distributed') return 0;
  return Math.ceil((cohort.targetParticipants * cohort.overSelection) / sessionsOf({ robust }));
}

function shapeOf(world: World): CohortShape {
  const { scenario: { clients }, population } = world;
  const all = clientsOf(world);
  const target = clients.perRound ?? all;
  if (target > all) throw new CestaError('config.invalid', `clients.perRound: expected at most ${all}, all that there are, got ${target}`);
  let maxShoppers = 1;
  if (clients.are === 'shops') for (let shop = 0; shop < all; shop += 1) maxShoppers = Math.max(maxShoppers, shoppersOfClient(world, shop).size);
  return { target, maxShoppers, meanShoppers: clients.are === 'shops' ? population.shoppers / all : 1 };
}
