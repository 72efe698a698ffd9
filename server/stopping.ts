/** How a coordinator stops: in its own time, while a round may still end, and then for good. */
import type { Server } from 'node:http';
import type { Clock } from './clock.ts';
import type { GuardedGateway } from './gateway.ts';
import { closeServer } from './listen.ts';
import type { Tasks } from './tasks.ts';

/** The parts that know one another. */
export interface House {
  readonly server: Server;
  readonly gateway: GuardedGateway;
  readonly tasks: Tasks;
  /** Resolves when nobody writes to the storage any more. */
  readonly idle: () => Promise<unknown>;
}

/** How long peers may take to finish when the coordinator stops. */
const graceMs = 1_000;

/** Opens no more rounds and admits nobody; resolves when no round is open, or the time is up. */
export async function drain({ gateway, tasks }: Pick<House, 'gateway' | 'tasks'>, clock: Clock, limitMs: number): Promise<void> {
  gateway.drain();
  let cancelLimit: () => void = () => undefined;
  const limit = new Promise<void>((resolve) => void (cancelLimit = clock.after(limitMs, resolve)));
  await Promise.race([tasks.drain(), limit]);
  cancelLimit();
}

/** Ends the round, then the connections: members hear why before they are hung up on. */
export async function leave({ server, gateway, tasks, idle }: House): Promise<void> {
  await tasks.stop('the coordinator is stopping');
  await Promise.all([gateway.close(graceMs), closeServer(server, graceMs)]);
  await idle();
}
