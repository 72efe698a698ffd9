/**
 * `import { startCoordinator } from 'cesta/server'`: a coordinator in a process of one's own.
 * @example
 * import { startCoordinator } from 'cesta/server';
 * import { pino } from 'pino';
 *
 * const task = { name: 'main', model: { kind: 'neighbours' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5 },
 *   cohort: { minShops: 3, maxShops: 20 } };
 * const coordinator = await startCoordinator({ task, dataDir: '.cesta/coordinator', port: 8787, logger: pino() });
 * coordinator.onRound(({ round, phase, reported }) => console.log(round, phase, reported));
 * @module cesta/server
 */
export { startCoordinator, type Coordinator, type CoordinatorState } from './coordinator.ts';
export type { CoordinatorOptions } from './coordinator-options.ts';
