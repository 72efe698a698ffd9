/** A round without sockets or disks: what would have been sent and written stands in `log`. */
import { createStragglers } from '../../../server/stragglers.ts';
import { createStagingAreas } from '../../../server/uploads.ts';
import { startRound, type RoundRun } from '../../../server/rounds.ts';
import type { RoundLedger } from '../../../server/ledger/round-ledger.ts';
import type { Sum } from '../../../server/releases.ts';
import { planHash, type Plan } from '../../../shared/federation/plan.ts';
import type { Round } from '../../../shared/federation/round.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { planOf, silent, type TaskShape } from './fixtures.ts';
import { silentLedger } from './ledgers.ts';
import { digestOf } from './test-client.ts';

export interface RoundRig {
  readonly run: RoundRun;
  readonly plan: Plan;
  readonly clock: FakeClock;
  /** `participant <- message` and `disk: statement`, in the order in which they happened. */
  readonly log: string[];
  readonly sums: Sum[];
  readonly progress: Round['phase'][];
  join(...participants: string[]): void;
  announce(participant: string, update?: Int32Array): void;
  /** Announces and sends a whole update. */
  report(participant: string, update?: Int32Array): void;
  /** Lets every effect that waits for no clock run. */
  settle(): Promise<void>;
}

export interface RoundFaults {
  /** Replaces a step on the disk. */
  readonly startTraining?: () => Promise<void>;
  readonly recordParticipants?: () => Promise<void>;
  readonly publish?: () => Promise<never>;
  readonly failRound?: () => Promise<void>;
  readonly ledger?: Partial<RoundLedger>;
}

export const key = signingKey(new Uint8Array(32).fill(3));

export function roundRig(shops: readonly string[], shape: TaskShape = {}, faults: RoundFaults = {}): RoundRig {
  const clock = fakeClock();
  const log: string[] = [];
  const sums: Sum[] = [];
  const progress: Round['phase'][] = [];
  const plan = planOf(shape);
  const write = async (statement: string, fault?: () => Promise<void>): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    await fault?.();
    log.push(`disk: ${statement}`);
  };
  const ledger = silentLedger(faults.ledger);
  const run = startRound({
    clock, key, logger: silent, areas: createStagingAreas(2), stallMs: 30_000, stageMs: 30_000, acknowledgeMs: 0, ledger,
    storage: {
      startTraining: (_round, roster) => write(`charged, ${roster.length} members`, faults.startTraining),
      recordParticipants: (_round, changes) => write(changes.map((change) => `${change.participant} ${change.kind === 'excluded' ? change.code : change.kind}`).join(', '), faults.recordParticipants),
      failRound: (_round, { code }) => write(`failed ${code}`, faults.failRound),
      spends: () => Promise.resolve([]),
      nodes: () => Promise.resolve(shops.map((name, index) => ({ name, publicKey: index.toString(16).padStart(64, '0'), firstSeen: '', lastSeen: '' }))),
    },
    stragglers: createStragglers({ maxStaleness: 0, gateway: { send: () => true }, logger: silent, clock, onChange: () => undefined }),
    async conclude(sum) {
      await faults.publish?.();
      sums.push(sum);
      const release = { version: 1, sha256: 'e'.repeat(64) };
      await ledger.released({ ...release, survivors: sum.survivors }, () => write('release'));
      return release;
    },
    gateway: {
      send(participant, message) {
        log.push(`${participant} <- ${message.type}`);
        return true;
      },
      refuse: (participant, { code }) => void log.push(`${participant} <- error ${code}`),
    },
    onProgress: (round) => void progress.push(round.phase),
  }, plan, shops);
  const announce = (participant: string, update: Int32Array = new Int32Array(plan.statisticLength)): void => {
    run.message(participant, { type: 'report', seq: 1, round: plan.round, planHash: planHash(plan), length: update.length, sha256: digestOf(update) });
  };
  return {
    run, plan, clock, log, sums, progress, announce,
    join(...participants) {
      for (const participant of participants) run.message(participant, { type: 'join', seq: 1, round: plan.round, planHash: planHash(plan) });
    },
    report(participant, update: Int32Array = new Int32Array(plan.statisticLength)) {
      announce(participant, update);
      run.chunk(participant, { round: plan.round, seq: 1, offset: 0, data: update });
    },
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A round of shops that were all told to train. */
export async function trainingRig(shops: readonly string[], shape?: TaskShape, faults?: RoundFaults): Promise<RoundRig> {
  const rig = roundRig(shops, shape, faults);
  rig.join(...shops);
  await rig.settle();
  rig.log.length = 0;
  return rig;
}
