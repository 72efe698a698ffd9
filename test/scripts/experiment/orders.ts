/** Orders of a small shop, enough for a few shops to train on: a file of events. */
import { seededRandom } from '../../../shared/numerics/random.ts';

export function ordersCsv(shoppers: number): string {
  const random = seededRandom(1, 'orders');
  const lines = ['item_id,shopper_id,timestamp'];
  for (let shopper = 0; shopper < shoppers; shopper += 1) {
    // Half of the shoppers buy of one half of the items, so that there is something to learn.
    const from = (shopper % 2) * 15;
    for (let day = 1; day <= 4; day += 1) for (let item = 0; item < 3; item += 1) lines.push(`item-${from + random.nextBelow(15)},shopper-${shopper},2024-05-0${day}`);
  }
  return `${lines.join('\n')}\n`;
}
