/** Where the figures are that operators and strangers look at: read when somebody asks. */
import type { CatalogueRoom } from './catalogue-room.ts';
import type { LiveFeed } from './dashboard/live.ts';
import type { PublicRecord } from './ledger/public-record.ts';
import { budgetSource, type Metrics } from './metrics.ts';
import type { Gateway } from './gateway.ts';
import type { RoundProgress } from './progress.ts';
import type { Storage } from './storage/storage.ts';
import type { Tasks } from './tasks.ts';

export interface FigureSources {
  readonly tasks: Pick<Tasks, 'all'>;
  readonly record: Pick<PublicRecord, 'size'>;
  readonly room: Pick<CatalogueRoom, 'fixed'>;
  readonly storage: Pick<Storage, 'spends' | 'lastRound'>;
  readonly gateway: Pick<Gateway, 'ready'> & { readonly connections: number };
  /** The round that is open, or the last one. */
  readonly round: () => RoundProgress | null;
}

export function showFigures({ metrics, live }: { readonly metrics: Metrics; readonly live: LiveFeed }, { tasks, record, room, storage, gateway, round }: FigureSources): void {
  const figures = {
    shopsReady: () => gateway.ready().length,
    connections: () => gateway.connections,
    logSize: () => record.size,
    budgets: budgetSource(() => tasks.all().map(({ spec }) => spec), room, storage),
  };
  metrics.watch({ ...figures, round, tasks: () => tasks.all().map(({ spec, schedule, releases }) => ({ task: spec.name, phase: schedule.phase, version: releases.current?.manifest.version ?? null })) });
  live.watch({ ...figures, tasks: () => tasks.all(), lastRound: (name) => storage.lastRound(name) });
}
