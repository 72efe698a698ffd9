/** A masked round in groups with real participants. Their vectors wait until a test uploads them. */
import { startMaskedSession, type MaskedSession } from '../../../client/masked-session.ts';
import { createGroupedRound } from '../../../server/grouped-round.ts';
import type { GroupMembers, MaskedRound } from '../../../server/masked-round.ts';
import { createStagingAreas } from '../../../server/uploads.ts';
import { drawGroups } from '../../../shared/federation/group-draw.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { encodeBase64 } from '../../../shared/ledger/base64.ts';
import type { Noised } from '../../../shared/privacy/vectors.ts';
import type { CestaError } from '../../../shared/protocol/errors.ts';
import type { Blame } from '../../../shared/secagg/aggregator-state.ts';
import { encodeMessage } from '../../../shared/secagg/wire.ts';
import { until } from '../../client/fakes.ts';
import { groupedShops, maskedCoordinator as coordinator } from '../../federation/plans.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { digestOf } from './test-client.ts';

export interface GroupedRig {
  readonly round: MaskedRound;
  readonly clock: FakeClock;
  readonly sessions: ReadonlyMap<string, MaskedSession>;
  /** Names by group, as the plan draws them. */
  readonly groups: readonly (readonly string[])[];
  /** Masked vectors as they would be announced. */
  readonly vectors: ReadonlyMap<string, Int32Array>;
  /** Frames that each participant sent. */
  readonly frames: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly ends: ReadonlyMap<string, CestaError | null>;
  readonly log: string[];
  readonly charged: (readonly GroupMembers[])[];
  readonly blamed: readonly Blame[];
  readonly upload: (...names: readonly string[]) => void;
  readonly logged: (line: string) => Promise<void>;
}

export interface GroupedRigOptions {
  readonly shops: number;
  readonly report?: (name: string, participants: number) => Int32Array;
  readonly commit?: () => Promise<void>;
  /** What a participant is shown in place of the members. */
  readonly shown?: (name: string) => ReadonlyMap<string, string> | null;
}

export function groupedRig(plan: Plan, { shops, report = () => new Int32Array(plan.statisticLength), commit = () => Promise.resolve(), shown = () => null }: GroupedRigOptions): GroupedRig {
  const clock = fakeClock();
  const log: string[] = [];
  const charged: (readonly GroupMembers[])[] = [];
  const blamed: Blame[] = [];
  const vectors = new Map<string, Int32Array>();
  const sessions = new Map<string, MaskedSession>();
  const frames = new Map<string, Uint8Array[]>();
  const ends = new Map<string, CestaError | null>();
  const granted = new Set<string>();
  const { names, keys, directory } = groupedShops(shops);
  const round = createGroupedRound({
    plan, key: coordinator, directory, clock, areas: createStagingAreas(64), stallMs: 1_000, stageMs: 5_000,
    send: (name, message) => sessions.get(name)?.receive(encodeBase64(encodeMessage(message))),
    onGrant: (name) => void granted.add(name),
    onAccepted: (name) => void log.push(`accepted ${name}`),
    onBlame: (blame) => void blamed.push(blame),
    async commit(roster, groups = []) {
      await commit();
      charged.push(groups);
      log.push(`charge ${roster.length}`);
    },
    onStage: (stage, answered) => void log.push(`${stage} ${answered}`),
    onSummed: ({ survivors }) => void log.push(`summed ${survivors.length}`),
    onLeftOut: (participants, { code, message }) => void log.push(`left out ${participants.join('')} ${code} ${message}`),
    onFailed: (code, reason) => void log.push(`failed ${code} ${reason}`),
  });
  round.start();
  for (const name of names) {
    frames.set(name, []);
    const key = keys.get(name) ?? coordinator;
    sessions.set(name, startMaskedSession({
      plan, directory: shown(name) ?? directory, coordinatorKey: coordinator.publicKey, deadlineMs: 600_000, timers: { after: () => () => undefined },
      identity: { id: name, key, recordRelease: () => undefined, acceptDirectory: () => undefined },
      report: (participants) => Promise.resolve(report(name, participants) as Noised),
      send(frame) {
        frames.get(name)?.push(frame);
        try {
          round.message(name, encodeBase64(frame));
        } catch {
          // Whoever is out is refused; that is the gateway's affair.
        }
      },
      upload: (words) => void vectors.set(name, words),
      onEnd: (error) => void ends.set(name, error),
    }));
  }
  return {
    round, clock, sessions, vectors, frames, ends, log, charged, blamed,
    groups: drawGroups(plan, directory).map((group) => [...group.directory.keys()]),
    upload(...uploading) {
      for (const name of uploading) {
        const words = vectors.get(name) ?? new Int32Array(0);
        round.announce(name, { length: words.length, sha256: digestOf(words) });
        if (granted.has(name)) round.chunk(name, 0, words);
      }
    },
    logged: (line) => until(() => log.some((logged) => logged.startsWith(line)), line),
  };
}

/** Once all of these have made their masked vector. */
export function masked({ vectors }: GroupedRig, names: readonly string[]): Promise<void> {
  return until(() => names.every((name) => vectors.has(name)), 'vectors');
}
