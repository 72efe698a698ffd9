/** What the federation's plans say to whoever replays a log: their cost, what they promise, and how much of it may be spent. */
import { parsePlan } from '../federation/plan.ts';
import { planEvents } from '../federation/plan-cost.ts';
import { fewestRows } from '../federation/robust/combine-rows.ts';
import { filterLimit } from '../privacy/budget.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import type { PlanRules } from './replay.ts';

export const planRules: PlanRules = {
  recompute: (plan) => planEvents(parsePlan(plan)),
  terms(plan) {
    const { privacy } = parsePlan(plan);
    if (privacy.mode === 'none') return canonicalJson({ mode: privacy.mode });
    const { mode, epsilon, delta, filterOrder, shopsPerShopper } = privacy;
    return canonicalJson({ mode, epsilon, delta, filterOrder, shopsPerShopper });
  },
  limit(plan) {
    const { privacy } = parsePlan(plan);
    return privacy.mode === 'none' ? null : { order: privacy.filterOrder, rdp: filterLimit(privacy) };
  },
  groups(plan) {
    const { robust } = parsePlan(plan);
    return robust?.groups === undefined ? null : { groups: robust.groups, fewest: fewestRows(robust.rule, robust.byzantine) };
  },
};
