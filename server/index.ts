/**
 * `import { startCoordinator } from 'cesta/server'`: a coordinator in a process of one's own.
 * @example
 * import { startCoordinator } from 'cesta/server';
 * import { pino } from 'pino';
 *
 * const task = { name: 'main', model: { kind: 'neighbours' }, privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5 },
 *   cohort: { minParticipants: 5, targetParticipants: 20 }, deadlines: { recruitingMs: 60_000, trainingMs: 120_000 } };
 * const coordinator = await startCoordinator({ task, dataDir: '.cesta/coordinator', port: 8787, logger: pino() });
 * coordinator.onRound(({ round, phase, reported }) => console.log(round, phase, reported));
 * @module cesta/server
 */
export type { Catalogue } from '../shared/commerce/catalogue.ts';
export type { NoteKey } from '../shared/ledger/signed-note.ts';
export type { WitnessPolicy } from '../shared/ledger/witness-policy.ts';
export type { Accountability } from '../shared/policy/accountability.ts';
export type { JurisdictionName } from '../shared/policy/jurisdictions.ts';
export type { Directive, Policy, PolicyMode, ProductField, Rule } from '../shared/policy/policy.ts';
export { CestaError } from '../shared/protocol/errors.ts';
export type { ErrorCode } from '../shared/protocol/error-table.ts';
export type { Equivocation } from '../shared/protocol/envelope.ts';
export type { BucketLimits } from '../shared/protocol/token-buckets.ts';
export type { OperatorCredentials } from './admin/credentials.ts';
export type { Clock } from './clock.ts';
export { startCoordinator, type Coordinator, type CoordinatorState } from './coordinator.ts';
export type { CoordinatorOptions, TaskInput } from './coordinator-options.ts';
export type { GatewayLimits } from './gateway/context.ts';
export type { IdentityOptions } from './identity/identity.ts';
export type { IdentityLimits } from './identity/limits.ts';
export type { RoundProgress } from './progress.ts';
export type { SchedulePhase } from './schedule.ts';
export type { TaskState } from './storage/storage.ts';
export type { TaskOver } from './task-over.ts';
export type { TaskDesk, TaskStatus } from './tasks.ts';
export type { ServerTls } from './transport.ts';
