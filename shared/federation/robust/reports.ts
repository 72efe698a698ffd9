/** Reports in the clear, kept side by side until a robust rule combines them. */
import { CestaError } from '../../protocol/errors.ts';
import { decodeSum, type Accumulator } from '../accumulator.ts';
import type { Plan } from '../plan.ts';
import type { RobustSpec } from './rule.ts';
import { combineSums, rowOfSum, type SumRow } from './sums.ts';

/** Keeps every report until it is gone itself. `decode` combines them. */
export function collectReports(plan: Plan, robust: RobustSpec): Accumulator {
  const reports: SumRow[] = [];
  return {
    add(report) {
      if (report.length !== plan.statisticLength) throw new CestaError('update.wrong-length', `report: expected ${plan.statisticLength} coordinates, got ${report.length}`);
      reports.push(rowOfSum(decodeSum(report, plan, 1)));
    },
    get participants() {
      return reports.length;
    },
    decode: () => combineSums(robust, reports),
  };
}
