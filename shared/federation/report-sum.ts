/** How the reports of a round become one sum: added up as they come, or kept and combined by the rule of the plan. */
import { createAccumulator, type Accumulator } from './accumulator.ts';
import type { Plan } from './plan.ts';
import { collectReports } from './robust/reports.ts';

export function createReportSum(plan: Plan): Accumulator {
  return plan.robust === undefined ? createAccumulator(plan) : collectReports(plan, plan.robust);
}
