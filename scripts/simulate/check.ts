/**
 * Whether scenarios can be simulated at all: whatever product or simulation refuse is refused when the first round is opened, so
 * that is done for one scenario of each kind. Scenarios that differ in numbers alone are of one kind.
 */
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import { startState } from './checkpoint.ts';
import { openFederation } from './federation.ts';
import { openNext } from './one-round.ts';
import { openWorld, type World } from './world.ts';

/** @throws CestaError as `simulate`, with the label in front */
export async function checkScenarios(labelled: readonly { readonly label: string; readonly scenario: Scenario }[]): Promise<void> {
  // The first of each kind: of two entries with one key a map keeps the later.
  const kinds = new Map(labelled.map((one) => [kindOf(one.scenario), one] as const).reverse());
  const worlds = new Map<string, Promise<World>>();
  for (const { label, scenario } of [...kinds.values()].reverse()) {
    try {
      const { data, protocol, population, seed } = scenario;
      const key = canonicalJson({ data, protocol, population, seed });
      const world = worlds.get(key) ?? openWorld(scenario);
      worlds.set(key, world);
      if (scenario.baseline === undefined) openNext(openFederation({ ...(await world), scenario }), startState);
      else await world;
    } catch (cause) {
      const { code, message } = toCestaError(cause);
      throw new CestaError(code, `${label}: ${message}`, { cause });
    }
  }
}

function kindOf(scenario: Scenario): string {
  return JSON.stringify(scenario, (_name, value: unknown) => (typeof value === 'number' ? 0 : value));
}
