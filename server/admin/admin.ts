/** What operators do from outside: the parts that the routes below `/v1/admin` call. */
import type { Logger } from 'pino';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import type { Clock } from '../clock.ts';
import type { Identity } from '../identity/identity.ts';
import type { Storage } from '../storage/storage.ts';
import type { TaskDesk } from '../tasks.ts';
import { listNodes, type NodeStatus, type Presence } from './nodes.ts';
import { openOperators, type Operators } from './operators.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { openTrail, type Trail } from './trail.ts';

export interface AdminParts {
  readonly storage: Storage;
  /** Of the coordinator. */
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: Pick<Identity, 'onOperator'>;
}

/** What stands only once the coordinator is put together. */
export interface AdminSurroundings {
  readonly presence: Presence;
  readonly desk: TaskDesk | null;
}

export interface Admin {
  readonly operators: Operators;
  readonly sessions: Sessions;
  readonly trail: Trail;
  readonly desk: TaskDesk | null;
  nodes(): Promise<NodeStatus[]>;
  attach(surroundings: AdminSurroundings): void;
  /** Resolves when nothing is under way: the storage may be closed then. */
  idle(): Promise<void>;
}

/** @throws CestaError `storage.failed` */
export async function openAdmin({ storage, key, clock, logger, identity }: AdminParts): Promise<Admin> {
  const operators = await openOperators({ storage, key, clock, logger });
  const trail = await openTrail(storage, logger);
  identity.onOperator(async (operator) => {
    operators.taken(operator);
    trail.note({ operator: 'key of the coordinator', action: 'operator.reset', target: operator.name, request: null }, 'done');
    await trail.idle();
  });
  const nowhere: Presence = { connected: () => [], ready: () => [], inRound: () => [] };
  let around: AdminSurroundings = { presence: nowhere, desk: null };
  return {
    operators,
    trail,
    sessions: createSessions(clock, (name) => operators.tokenHashOf(name)),
    get desk() {
      return around.desk;
    },
    nodes: () => listNodes(storage, around.presence, clock),
    attach: (surroundings) => void (around = surroundings),
    idle: () => trail.idle(),
  };
}
