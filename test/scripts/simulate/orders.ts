/** A small file of orders that simulations of the tests read: shoppers with tastes, over half a year. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { parseScenario, type Scenario, type ScenarioInput } from '../../../shared/simulation/scenario.ts';

export const items = 40;
export const shoppers = 150;
const daySeconds = 86_400;
const start = 1_700_006_400;

export interface Orders {
  readonly path: string;
  remove(): void;
}

/** Every shopper likes a fifth of the items, and buys some of these on a few days. */
export function writeOrders(): Orders {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-orders-'));
  const random = seededRandom(3, 'orders');
  const lines = ['shopper_id,item_id,timestamp,title'];
  for (let shopper = 0; shopper < shoppers; shopper += 1) {
    const taste = shopper % 5;
    for (let visit = 0; visit < 3 + random.nextBelow(3); visit += 1) {
      const time = start + random.nextBelow(180) * daySeconds;
      for (let count = 0; count < 4; count += 1) {
        const item = random.nextFloat() < 0.8 ? taste + 5 * random.nextBelow(items / 5) : random.nextBelow(items);
        lines.push(`u${shopper},i${item},${time},${['red', 'blue', 'green', 'white', 'black'][item % 5]} thing ${item}`);
      }
    }
  }
  const path = join(folder, 'orders.csv');
  writeFileSync(path, lines.join('\n'));
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** Of popularity, which any catalogue of this size can train, if nothing else is said. */
export function scenarioOver({ path }: Orders, input: ScenarioInput = {}): Scenario {
  return parseScenario({ data: path, model: 'popularity', ...input });
}
