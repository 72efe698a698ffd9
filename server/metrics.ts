/**
 * The coordinator in figures, for Prometheus. Labels have few values, fixed by this code or by the operator: a label
 * that a stranger could fill would fill the memory, and a shop's name is nobody's business.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { budgetReport, type BudgetReport } from '../shared/federation/budget-report.ts';
import type { TaskSpec } from '../shared/federation/task.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import type { Meter } from './meter.ts';
import { taskIn } from './next-round.ts';
import type { RoundProgress } from './progress.ts';
import type { SchedulePhase } from './schedule.ts';
import type { Storage } from './storage/storage.ts';

/** What is read when somebody asks. */
export interface MetricSources {
  readonly tasks: () => readonly {
    readonly task: string;
    readonly phase: SchedulePhase;
    /** Of the release that is served; null before the first. */
    readonly version: number | null;
  }[];
  readonly shopsReady: () => number;
  /** The round that is open, or the last one. */
  readonly round: () => RoundProgress | null;
  readonly connections: () => number;
  readonly logSize: () => number;
  readonly budgets: () => Promise<readonly Pick<BudgetReport, 'task' | 'epsilonSpent' | 'epsilonLeft' | 'epsilonLimit' | 'delta'>[]>;
}

/** What has come and gone since the process started. */
export interface Tally {
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Frames, connections and requests. */
  readonly refused: number;
}

export interface Metrics extends Meter {
  /** Shows these, too. Once. */
  watch(sources: MetricSources): void;
  /** Hears every step of every round. */
  round(progress: RoundProgress): void;
  tally(): Tally;
  /** The text format, with the process's own figures from the first time on. */
  read(): Promise<{ readonly text: string; readonly contentType: string }>;
}

const phases = Object.keys({
  waiting: true, opening: true, recruiting: true, training: true, masking: true, releasing: true, done: true, failed: true, pausing: true, paused: true, over: true, stopped: true,
} satisfies Record<SchedulePhase, true>);

const secondsBuckets = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const rounds = new Counter({ name: 'cesta_rounds_total', help: 'Rounds that ended, by outcome and error code', labelNames: ['outcome', 'code'], registers });
  const bytes = new Counter({ name: 'cesta_bytes_total', help: 'Bytes up (to the coordinator) and down: payload of WebSocket frames, all bytes of HTTP', labelNames: ['carrier', 'direction'], registers });
  const refused = new Counter({ name: 'cesta_refused_total', help: 'Frames, connections and requests that were refused, by error code', labelNames: ['carrier', 'code'], registers });
  const aggregation = new Histogram({ name: 'cesta_aggregation_seconds', help: 'Time from a report to what is served, by stage', labelNames: ['stage'], buckets: secondsBuckets, registers });
  const canaries = new Counter({ name: 'cesta_canary_total', help: 'Releases that a canary looked at, by outcome', labelNames: ['outcome'], registers });
  let lastEnded: string | null = null;
  let isProcessShown = false;
  let [bytesUp, bytesDown, refusals] = [0, 0, 0];
  return {
    watch: (sources) => addGauges(registry, sources),
    bytes(carrier, direction, count) {
      bytes.inc({ carrier, direction }, count);
      if (direction === 'up') bytesUp += count;
      else bytesDown += count;
    },
    refused(carrier, code) {
      refused.inc({ carrier, code });
      refusals += 1;
    },
    tally: () => ({ bytesUp, bytesDown, refused: refusals }),
    took: (stage, ms) => aggregation.observe({ stage }, ms / 1000),
    canary: (outcome) => canaries.inc({ outcome }),
    round({ round, phase, failure }) {
      if ((phase !== 'done' && phase !== 'failed') || round === lastEnded) return;
      lastEnded = round;
      rounds.inc({ outcome: phase, code: failure?.code ?? '' });
    },
    async read() {
      // They hook into the process for good: only where somebody looks.
      if (!isProcessShown) collectDefaultMetrics({ register: registry });
      isProcessShown = true;
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge) => void | Promise<void>): void => {
    const made: Gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [registry], collect: () => collect(made) });
  };
  gauge('cesta_phase', 'Phase of each task or its open round: 1 for the one it is in', ['task', 'phase'], (made) => {
    for (const { task, phase: current } of sources.tasks()) for (const phase of phases) made.set({ task, phase }, phase === current ? 1 : 0);
  });
  gauge('cesta_participants', 'Connections and ready shops; of the open round, members working, reported and dropped', ['state'], (made) => {
    const counts = { connected: sources.connections(), ready: sources.shopsReady(), ...membersOf(sources.round()) };
    for (const [state, count] of Object.entries(counts)) made.set({ state }, count);
  });
  gauge('cesta_release_version', 'Version of the release that each task serves; 0 before the first', ['task'], (made) => {
    for (const { task, version } of sources.tasks()) made.set({ task }, version ?? 0);
  });
  gauge('cesta_log_size', 'Entries of the public record', [], (made) => made.set(sources.logSize()));
  gauge('cesta_epsilon', 'Privacy budget of each task that promises one, spent and left', ['task', 'budget'], async (made) => {
    made.reset();
    for (const { task, epsilonSpent, epsilonLeft } of await sources.budgets()) {
      if (epsilonSpent === null || epsilonLeft === null) continue;
      made.set({ task, budget: 'spent' }, epsilonSpent);
      made.set({ task, budget: 'left' }, epsilonLeft);
    }
  });
}

/** Accounting takes tens of milliseconds: it is done again when something was spent. */
export function budgetSource(tasks: () => readonly TaskSpec[], room: Pick<CatalogueRoom, 'fixed'>, storage: Pick<Storage, 'spends'>): MetricSources['budgets'] {
  const known = new Map<string, { readonly of: string; readonly report: BudgetReport }>();
  return () => Promise.all(tasks().map(async (task) => {
    const spends = await storage.spends(task.name);
    const of = JSON.stringify([room.fixed?.hash, ...spends.map(({ round, state }) => [round, state])]);
    const last = known.get(task.name);
    if (last?.of === of) return last.report;
    const report = budgetReport(taskIn(room, task), spends);
    known.set(task.name, { of, report });
    return report;
  }));
}

function membersOf(round: RoundProgress | null): { readonly working: number; readonly reported: number; readonly dropped: number } {
  if (round === null) return { working: 0, reported: 0, dropped: 0 };
  const { phase, members, reported, away } = round;
  switch (phase) {
    case 'training':
    case 'masking':
    case 'releasing':
      return { working: members - reported - away, reported, dropped: away };
    case 'recruiting':
    case 'done':
    case 'failed':
      return { working: 0, reported: 0, dropped: 0 };
    default:
      return phase satisfies never;
  }
}
