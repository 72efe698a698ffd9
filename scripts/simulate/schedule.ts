/** When rounds are opened, and what is known and asked then. */
import { historyBefore } from '../../shared/commerce/history.ts';
import { splitAtTime, type Split } from '../../shared/evaluation/splits.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { simulatedToday } from '../evaluate.ts';
import type { World } from './world.ts';

export interface Moment {
  /** Virtual seconds since the simulation began. */
  readonly opensSeconds: number;
  /** Unix seconds: the day that models take for today. */
  readonly asOf: number;
  /** What trains. */
  readonly split: Split;
  /** What its release is asked. */
  readonly asked: readonly Split[];
}

const daySeconds = 86_400;

/**
 * One moment a round, 1 for the first. `at-once`: all training orders, on the day they end. `calendar`: each `everyDays` from
 * `startDays` after the first order's midnight on; a round knows what was ordered before it, and is asked about the days until the
 * next one in steps of `testDays`. In each step a shopper has all that was bought before it, and items that
 * were sold by then can be asked for, whether or not the round knew them: what is asked depends on the step alone. Or all rounds are
 * asked what the protocol holds out, and know of what it does not hold out what was ordered before them.
 * @throws CestaError `data.empty` where nobody can be asked; `config.invalid` for more rounds than there are orders to ask about, steps that do not fill the days between
 * rounds, or a protocol that a calendar has no use for
 */
export function scheduleOf({ scenario, dataset, split }: Pick<World, 'scenario' | 'dataset' | 'split'>): (round: number) => Moment {
  const { schedule, rounds, protocol } = scenario;
  if (schedule.kind === 'at-once') {
    const asOf = simulatedToday(requireAsked(split));
    return (round) => ({ opensSeconds: (round - 1) * schedule.everySeconds, asOf, split, asked: [split] });
  }
  const isHeldOut = schedule.tests === 'held-out';
  if (!isHeldOut && protocol !== 'last-basket') throw new CestaError('config.invalid', `protocol: expected the default with a calendar, which asks about the days after each round, got ${protocol}`);
  const { everyDays, startDays = everyDays } = schedule;
  const { start, end } = spanOf(dataset);
  // Of the last round, orders of a day at least; where none of the next days are needed, it may come after all of them.
  const days = (end - start) / daySeconds - startDays;
  const most = Math.max(0, (isHeldOut ? Math.ceil(days / everyDays) : Math.floor(days / everyDays)) + 1);
  if (rounds > most) throw new CestaError('config.invalid', `rounds: expected at most ${most} every ${everyDays} days of these orders, got ${rounds}`);
  const splitsFrom = isHeldOut ? heldOut(split) : followingDays(dataset, schedule);
  return remembered((round) => {
    // A first count may be one round more: the last days are asked about twice.
    const opensSeconds = (startDays + (Math.min(round, most) - 1) * everyDays) * daySeconds;
    const asked = splitsFrom(start + opensSeconds);
    return { opensSeconds, asOf: Math.ceil(start + opensSeconds), split: asked[0], asked };
  });
}

/** The midnight before the first order, and the last order; Unix seconds. */
function spanOf({ shoppers }: World['dataset']): { readonly start: number; readonly end: number } {
  let [first, last] = [Infinity, -Infinity];
  for (const { history: { visitTimes } } of shoppers) {
    if (visitTimes.length === 0) continue;
    first = Math.min(first, visitTimes[0]);
    last = Math.max(last, visitTimes[visitTimes.length - 1]);
  }
  return { start: Math.floor(first / daySeconds) * daySeconds, end: last };
}

type Calendar = Extract<World['scenario']['schedule'], { readonly kind: 'calendar' }>;

function followingDays({ shoppers, catalogue }: World['dataset'], { everyDays, testDays = everyDays }: Calendar): (cutTime: number) => Split[] {
  if (!Number.isInteger(everyDays / testDays)) throw new CestaError('config.invalid', `schedule.testDays: expected a part of the ${everyDays} days between rounds, got ${testDays}`);
  const histories = shoppers.map(({ history }) => history);
  const stepSeconds = testDays * daySeconds;
  return (cutTime) => Array.from({ length: everyDays / testDays }, (_, step) => splitAtTime(histories, catalogue.products.length, { cutTime: cutTime + step * stepSeconds, until: cutTime + (step + 1) * stepSeconds }));
}

function heldOut(split: Split): (cutTime: number) => Split[] {
  const { training } = requireAsked(split);
  return (cutTime) => [{ ...split, training: training.map((history) => historyBefore(history, cutTime)) }];
}

function requireAsked(split: Split): Split {
  if (split.tests.length === 0) throw new CestaError('data.empty', `protocol: expected shoppers who can be asked by ${split.protocol}, got none`);
  return split;
}

/** Of rounds that each know more orders than the one before; undefined where all know the same. */
export function secondsBetweenRounds({ schedule }: Pick<World['scenario'], 'schedule'>): number | undefined {
  return schedule.kind === 'calendar' ? schedule.everyDays * daySeconds : undefined;
}

/** A round is planned, summed and tested at the same moment. */
function remembered(momentOf: (round: number) => Moment): (round: number) => Moment {
  let last: { readonly round: number; readonly moment: Moment } | null = null;
  return (round) => {
    if (last?.round !== round) last = { round, moment: momentOf(round) };
    return last.moment;
  };
}
