/** A coordinator with what it told about its nodes, its operator, and a clock that can be moved. */
import { systemClock, type Clock } from '../../../server/clock.ts';
import type { CoordinatorOptions } from '../../../server/coordinator-options.ts';
import type { Equivocation } from '../../../shared/protocol/envelope.ts';
import { coordinatorFor } from './coordinators.ts';
import { temporaryFolder } from './folders.ts';
import { envelopeOf, nodeKey, operatorKey, type Operator } from './nodes.ts';

export interface House extends Operator {
  readonly dataDir: string;
  readonly told: string[];
  readonly equivocations: Equivocation[];
  close(): Promise<void>;
}

export async function openHouse(options: Partial<CoordinatorOptions> = {}, dataDir = temporaryFolder()): Promise<House> {
  const told: string[] = [];
  const equivocations: Equivocation[] = [];
  const coordinator = await coordinatorFor({
    dataDir,
    ...options,
    identity: {
      onEnrolled: (node) => void told.push(`enrolled ${node}`),
      onRevoked: (node, reason) => void told.push(`revoked ${node} ${reason}`),
      onEquivocation: (evidence) => void equivocations.push(evidence),
      ...options.identity,
    },
  });
  return { url: coordinator.url, key: operatorKey(dataDir), dataDir, told, equivocations, close: () => coordinator.close() };
}

/** Real time, moved. */
export function shiftedClock(): Clock & { ms: number } {
  const clock = { ...systemClock, ms: 0, date: () => new Date(Date.now() + clock.ms) };
  return clock;
}

/** The key of the shop `a`. */
export const a = nodeKey('a');
export const enrolment = (house: Operator, token: string, shop = 'a', key = a) => envelopeOf(key, house.key.publicKey, 'enrol', { token, shop });
