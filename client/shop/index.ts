/**
 * `import { startShopNode } from 'cesta/shop'`: a shop's own node in a process of one's own, and what it serves to the shop's pages.
 * @example
 * import { readDataset, startShopNode } from 'cesta/shop';
 * import { pino } from 'pino';
 *
 * const dataset = await readDataset('orders.csv', { basketColumn: 'order_id' });
 * const node = startShopNode({ shop: 'corner', dataset, coordinator: new URL('https://cesta.example.org'),
 *   stateDir: '.cesta/shops', logger: pino(), maxEpsilon: 3 });
 * const { rounds, epsilonSpent } = await node.done;
 * @module cesta/shop
 */
export { enrolNode, renewNode, rotateKey, type NodeOptions, type Rotated } from './enrolment.ts';
export { readCatalogue, readDataset, type ReadOptions } from './read-data.ts';
export { startShopNode, type ShopNode, type ShopNodeEvent, type ShopNodeOptions, type ShopNodeSummary } from './shop-node.ts';
export { startStorefrontApi, type StorefrontApi, type StorefrontApiOptions } from './storefront-api/storefront-api.ts';
