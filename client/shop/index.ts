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
export type { Plan } from '../../shared/federation/plan.ts';
export type { SignedCertificate } from '../../shared/identity/certificate.ts';
export type { SignedReceipt } from '../../shared/ledger/receipt.ts';
export type { NoteKey } from '../../shared/ledger/signed-note.ts';
export type { WitnessPolicy } from '../../shared/ledger/witness-policy.ts';
export type { JurisdictionName } from '../../shared/policy/jurisdictions.ts';
export type { Directive, Policy, PolicyMode, ProductField, Rule } from '../../shared/policy/policy.ts';
export { CestaError } from '../../shared/protocol/errors.ts';
export type { ErrorCode } from '../../shared/protocol/error-table.ts';
export type { Evidence } from '../../shared/secagg/participant-state.ts';
export type { ConnectionEvent } from '../connection.ts';
export type { MappingReport } from '../federation-histories.ts';
export type { BackendKind, ChosenBackend, PassedOver } from '../../shared/tensors/backend-kinds.ts';
export type { Fetch } from '../http.ts';
export { createModelCache, type ModelCache } from '../model-cache.ts';
export type { ParticipantEvent } from '../participant.ts';
export type { RoundNews } from '../participation.ts';
export type { OpenSocket, Socket, SocketHandlers, Timers } from '../socket.ts';
export type { Spent } from '../spends.ts';
export type { TrainedEvent } from '../trainer.ts';
export { enrolNode, renewNode, rotateKey, type NodeOptions, type Rotated } from './enrolment.ts';
export { readCatalogue, readDataset, type ReadOptions } from './read-data.ts';
export { startShopNode, type ShopNode, type ShopNodeEvent, type ShopNodeOptions, type ShopNodeSummary } from './shop-node.ts';
export type { ShopPolicy } from './storefront-api/campaigns/campaign-policy.ts';
export type { StorefrontTls } from './storefront-api/server.ts';
export { startStorefrontApi, type StorefrontApi, type StorefrontApiOptions } from './storefront-api/storefront-api.ts';
