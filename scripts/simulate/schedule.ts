/** When rounds are opened, and what is known and asked then. */
import { splitAtTime, type Split } from '../../shared/evaluation/splits.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { simulatedToday } from '../evaluate.ts';
import type { World } from './world.ts';

export interface Moment {
  /** Virtual seconds since the simulation began. */
  readonly opensSeconds: number;
  /** Unix seconds: the day that models take for today. */
  readonly asOf: number;
  readonly split: Split;
}

const daySeconds = 86_400;

/**
 * One moment a round, 1 for the first. `at-once`: all training orders, on the day they end. `calendar`: each `everyDays` from
 * the first order's midnight on; a round knows what was ordered before it, and is asked what is new in the `everyDays` after.
 * @throws CestaError `config.invalid` for more rounds than there are orders to ask about, or a protocol that a calendar has no use for
 */
export function scheduleOf({ scenario: { schedule, rounds, protocol }, dataset, split }: Pick<World, 'scenario' | 'dataset' | 'split'>): (round: number) => Moment {
  if (schedule.kind === 'at-once') {
    const asOf = simulatedToday(split);
    return (round) => ({ opensSeconds: (round - 1) * schedule.everySeconds, asOf, split });
  }
  if (protocol !== 'last-basket') throw new CestaError('config.invalid', `protocol: expected the default with a calendar, which asks about the days after each round, got ${protocol}`);
  const histories = dataset.shoppers.map(({ history }) => history);
  const times = histories.flatMap(({ visitTimes }) => (visitTimes.length === 0 ? [] : [visitTimes[0], visitTimes[visitTimes.length - 1]]));
  const [first, last] = times.reduce(([least, most], time) => [Math.min(least, time), Math.max(most, time)], [Infinity, -Infinity]);
  const start = Math.floor(first / daySeconds) * daySeconds;
  const everySeconds = schedule.everyDays * daySeconds;
  const most = Math.floor((last - start) / everySeconds);
  if (rounds > most) throw new CestaError('config.invalid', `rounds: expected at most ${most} every ${schedule.everyDays} days of these orders, got ${rounds}`);
  return (round) => {
    // A first count may be one round more: the last days are asked about twice.
    const step = Math.min(round, most);
    const cutTime = start + step * everySeconds;
    return { opensSeconds: step * everySeconds, asOf: Math.ceil(cutTime), split: splitAtTime(histories, dataset.catalogue.products.length, { cutTime, until: cutTime + everySeconds }) };
  };
}
