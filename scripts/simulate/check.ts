/**
 * Whether scenarios can be simulated at all: whatever product or simulation refuse is refused when a task is made of a scenario, which
 * costs little, or when its first round is planned. That takes a while: it is done for one scenario of each kind. Scenarios that
 * differ in numbers alone are of one kind, so that promises no noise can keep may show only when their turn comes.
 */
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { startState } from './checkpoint.ts';
import { federationTask, openFederation } from './federation.ts';
import { openNext } from './one-round.ts';
import { scheduleOf } from './schedule.ts';
import { openWorld, type World } from './world.ts';

/** @throws CestaError as `simulate`, with the label in front */
export async function checkScenarios(labelled: readonly { readonly label: string; readonly scenario: Scenario }[]): Promise<void> {
  const planned = new Set<string>();
  const worlds = new Map<string, Promise<World>>();
  for (const { label, scenario } of labelled) {
    try {
      // Whatever the seed: who is in which shop is refused nowhere.
      const { data, protocol, population } = scenario;
      const key = canonicalJson({ data, protocol, population });
      const world = worlds.get(key) ?? openWorld(scenario);
      worlds.set(key, world);
      check({ ...(await world), scenario }, planned);
    } catch (cause) {
      const { code, message } = toCestaError(cause);
      throw new CestaError(code, `${label}: ${message}`, { cause });
    }
  }
}

function check(world: World, planned: Set<string>): void {
  const { scenario } = world;
  if (scenario.baseline !== undefined) return void scheduleOf(world);
  const kind = kindOf(scenario);
  if (planned.has(kind)) return void federationTask(world);
  openNext(openFederation(world), startState);
  planned.add(kind);
}

function kindOf(scenario: Scenario): string {
  return JSON.stringify(scenario, (_name, value: unknown) => (typeof value === 'number' ? 0 : value));
}
