/**
 * What one round under a plan costs, as events a ledger keeps: computed from the plan alone, so that coordinator,
 * shops and auditors arrive at the same numbers, by any accountant.
 */
import { integerSensitivity } from '../privacy/accounting/skellam.ts';
import { rdpToEpsilon } from '../privacy/accounting/conversions.ts';
import type { PrivacyEvent } from '../privacy/accounting/events.ts';
import { composedRdp } from '../privacy/accounting/rdp.ts';
import { acrossShops } from '../privacy/budget.ts';
import { CestaError } from '../protocol/errors.ts';
import { denseSensitivity } from '../privacy/dense.ts';
import { contributionLength, type Plan } from './plan.ts';
import type { TaskSpec } from './task.ts';

/** L2 and L1 norm, in grid steps, that one contribution can move the sum by. @throws CestaError `privacy.invalid` without a clip norm. */
export function planSensitivity(plan: Plan): { readonly l2: number; readonly l1: number } {
  const { clipNorm, gridScale, encoding } = plan.bounds;
  if (clipNorm === null) throw new CestaError('privacy.invalid', `bounds.clipNorm: expected a number in mode ${plan.privacy.mode}, got none: noise protects nothing without a clip`);
  return encoding.kind === 'rotated' ? denseSensitivity(clipNorm, gridScale, contributionLength(plan)) : integerSensitivity(gridScale * clipNorm, plan.statisticLength);
}

/** The events of one round; none where nothing is promised. */
export function planEvents(plan: Plan): readonly PrivacyEvent[] {
  const { privacy, bounds } = plan;
  switch (privacy.mode) {
    case 'none':
      return [];
    case 'local':
    case 'distributed':
      // Of shares, the honest survivors' add up to this variance whoever drops out: that is what their removal is for.
      return [{ kind: 'skellam', ...planSensitivity(plan), variance: (privacy.noiseStd * bounds.gridScale) ** 2, sampling: privacy.sampling, count: 1 }];
    default:
      return privacy satisfies never;
  }
}

/**
 * How many contributions one person who is a shopper of `shops` shops changes a sum by. Where the unit is the shop, the
 * person's records do not come or go with a contribution: they change it from one clipped vector to another, which may
 * be twice the clip norm apart.
 */
export function contributionsOfPerson(unit: TaskSpec['unit'] | undefined, shops: number): number {
  return unit === 'shop' ? 2 * shops : shops;
}

/** The events of one round as one shopper of one shop sees them, whatever the unit of the plan. */
export function shopperEvents(plan: Plan): readonly PrivacyEvent[] {
  return planEvents(plan).map((event) => acrossShops(event, contributionsOfPerson(plan.unit, 1)));
}

/** Epsilon of `rounds` rounds under this plan at its filter's order; null where the plan promises nothing. */
export function epsilonOfRounds(plan: Plan, rounds: number): number | null {
  const { privacy } = plan;
  if (privacy.mode === 'none') return null;
  return rdpToEpsilon(privacy.filterOrder, rounds * composedRdp(planEvents(plan), privacy.filterOrder), privacy.delta);
}
