/**
 * One `cesta` command in a process of its own, which has loaded its modules and waits for its arguments: a restart
 * then takes as long as the product takes, and not as long as the compiler.
 */
import { main } from '../../cli/main.ts';
import { z } from 'zod';

await Promise.all([import('../../../server/coordinator.ts'), import('../../../client/shop/shop-node.ts'), import('../../../client/shop/read-data.ts')]);
process.once('message', (message) => {
  process.disconnect();
  void main(['node', 'cesta', ...z.array(z.string()).parse(message)]);
});
process.send?.('loaded');
