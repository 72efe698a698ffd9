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
  readonly desk: TaskDesk;
}

export interface Admin {
  readonly operators: Operators;
  readonly sessions: Sessions;
  readonly trail: Trail;
  readonly desk: TaskDesk;
  nodes(): Promise<NodeStatus[]>;
  /** Says where it is seen who is here. Set once the gateway stands. */
  watch(presence: Presence): void;
  /** Resolves when nothing is under way: the storage may be closed then. */
  idle(): Promise<void>;
}

/** @throws CestaError `storage.failed` */
export async function openAdmin({ storage, key, clock, logger, identity, desk }: AdminParts): Promise<Admin> {
  const operators = await openOperators({ storage, key, clock, logger });
  const trail = await openTrail(storage, logger);
  identity.onOperator(async (operator) => {
    operators.taken(operator);
    await trail.note({ operator: 'key of the coordinator', action: 'operator.reset', target: operator.name, request: null }, 'done');
  });
  let presence: Presence = { connected: () => [], ready: () => [], inRound: () => [] };
  return {
    operators,
    trail,
    sessions: createSessions(clock, (name) => operators.tokenHashOf(name)),
    desk,
    nodes: () => listNodes(storage, presence, clock),
    watch: (source) => void (presence = source),
    idle: () => trail.idle(),
  };
}
