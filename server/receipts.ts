/**
 * What a round acknowledges: signed, committed in batches, and told only when it is durable. What arrives while a batch
 * is gathered or a commit under way shares a sync of the disk, so that a hundred reports cost a few and not a hundred.
 */
import { setImmediate } from 'node:timers/promises';
import { makeReceipt, type SignedReceipt } from '../shared/ledger/receipt.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { Clock } from './clock.ts';
import type { ParticipantChange, ParticipantRecords } from './storage/participant-records.ts';

export interface ReceiptsOptions {
  readonly round: string;
  readonly planHash: string;
  readonly storage: Pick<ParticipantRecords, 'recordParticipants'>;
  readonly key: SigningKey;
  readonly clock: Pick<Clock, 'date' | 'after'>;
  /** How long the first of a batch waits for others; nobody waits once the round does. */
  readonly gatherMs: number;
  /** Long-term key of a member; undefined for a stranger. */
  readonly nodeOf: (participant: string) => string | undefined;
  /** The receipt is in the journal: only now may the participant hear of it. */
  readonly onDurable: (participant: string, receipt: SignedReceipt) => void;
  /** Nothing more is acknowledged in this round. */
  readonly onFailed: (error: CestaError) => void;
}

export interface Receipts {
  /** Signs for a report, to be acknowledged when that is durable. @throws CestaError `internal` for a stranger */
  report(participant: string, sha256: string): void;
  /** Notes why nothing of a member is in the sum. The first word about a member stands; nobody waits for it. */
  exclude(participant: string, code: ErrorCode): void;
  /** The receipt of a participant, once it is durable. */
  of(participant: string): SignedReceipt | null;
  /** Waits for everything that was handed in, and has it committed without delay. @returns what failed, or null */
  settled(): Promise<CestaError | null>;
}

interface State {
  readonly options: ReceiptsOptions;
  readonly known: Set<string>;
  readonly durable: Map<string, SignedReceipt>;
  waiting: ParticipantChange[];
  failure: CestaError | null;
  /** The commits under way. */
  work: Promise<void> | null;
  /** Somebody waits for the end. */
  isUrgent: boolean;
  stopGathering: () => void;
}

export function createReceipts(options: ReceiptsOptions): Receipts {
  const state: State = { options, known: new Set(), durable: new Map(), waiting: [], failure: null, work: null, isUrgent: false, stopGathering: () => undefined };
  return {
    report(participant, sha256) {
      const { round, planHash, key, clock, nodeOf } = options;
      const node = nodeOf(participant);
      if (node === undefined) throw new CestaError('internal', `receipt: expected the key of ${participant}, got none`);
      const receipt = makeReceipt(key, { round, planHash, shop: participant, node, sha256, acceptedAt: clock.date().toISOString() });
      enqueue(state, { kind: 'reported', participant, node, receipt });
    },
    exclude(participant, code) {
      const node = options.nodeOf(participant);
      if (node !== undefined) enqueue(state, { kind: 'excluded', participant, node, code });
    },
    of: (participant) => state.durable.get(participant) ?? null,
    async settled() {
      state.isUrgent = true;
      state.stopGathering();
      await state.work;
      state.isUrgent = false;
      return state.failure;
    },
  };
}

function enqueue(state: State, change: ParticipantChange): void {
  if (state.failure !== null || state.known.has(change.participant)) return;
  state.known.add(change.participant);
  state.waiting.push(change);
  state.work ??= commitAll(state);
}

async function commitAll(state: State): Promise<void> {
  while (state.waiting.length > 0 && state.failure === null) {
    if (!state.isUrgent && state.options.gatherMs > 0) await gather(state);
    // Whatever the sockets hold by now shares the commit.
    await setImmediate();
    await commit(state, state.waiting.splice(0));
  }
  state.work = null;
}

function gather(state: State): Promise<void> {
  const { clock, gatherMs } = state.options;
  return new Promise((resolve) => {
    const cancel = clock.after(gatherMs, resolve);
    state.stopGathering = () => {
      cancel();
      resolve();
    };
  });
}

async function commit(state: State, batch: readonly ParticipantChange[]): Promise<void> {
  const { storage, round, onDurable, onFailed } = state.options;
  try {
    await storage.recordParticipants(round, batch);
  } catch (error) {
    state.failure = toCestaError(error);
    return onFailed(state.failure);
  }
  for (const change of batch) {
    if (change.kind !== 'reported') continue;
    state.durable.set(change.participant, change.receipt);
    onDurable(change.participant, change.receipt);
  }
}
