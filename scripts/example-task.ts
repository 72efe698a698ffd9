/** A specification with every field that an operator would decide about, for `cesta task create --example`. */
import type { Json } from '../shared/protocol/canonical-json.ts';
import { deploymentDefaults } from '../shared/recommender/registry.ts';

/** @param now "recent" is reckoned back from the end of this day */
export function exampleTask(now: Date): Json {
  const dayMs = 86_400_000;
  const asOf = (Math.floor(now.getTime() / dayMs) + 1) * (dayMs / 1000);
  const everySeconds = 7 * (dayMs / 1000);
  return {
    name: 'example',
    model: { kind: 'neighbours', hyperParameters: { ...deploymentDefaults('neighbours', { asOf, everySeconds }) } },
    privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5, rounds: 4, encoding: 'sparse', shopsPerShopper: 2, tolerated: 4, colluding: 1 },
    cohort: { minParticipants: 8, targetParticipants: 20, overSelection: 1.3 },
    deadlines: { recruitingMs: 60_000, trainingMs: 120_000 },
    maxShoppersPerShop: 5_000,
    schedule: { everySeconds, minIntervalSeconds: 3_600 },
  };
}
