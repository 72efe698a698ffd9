/** When a task is over: by the journal alone, which counts what earlier processes charged and released, too. */
import type { TaskSpec } from '../shared/federation/task.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import { taskIn } from './next-round.ts';
import type { Storage } from './storage/storage.ts';

/** Why no further round opens: `code` is null when everything that was asked for is done. */
export interface TaskOver {
  readonly code: ErrorCode | null;
  readonly message: string;
}

export interface TaskEnd {
  readonly task: TaskSpec;
  /** Releases wanted in all. */
  readonly roundsWanted: number;
  readonly storage: Pick<Storage, 'roundsDone' | 'roundsCharged'>;
  readonly room: Pick<CatalogueRoom, 'fixed'>;
}

/** Rounds of training that the budget is for over this catalogue. */
export function roundsPlanned(task: TaskSpec, room: Pick<CatalogueRoom, 'fixed'>): number {
  return taskIn(room, task).privacy.rounds;
}

/** @returns null while there is something left to do */
export async function whyOver({ task, roundsWanted: wanted, storage, room }: TaskEnd): Promise<TaskOver | null> {
  const planned = roundsPlanned(task, room);
  const roundsWanted = wanted + planned - task.privacy.rounds;
  const done = await storage.roundsDone(task.name);
  if (done >= roundsWanted) return { code: null, message: `task ${task.name}: ${done} of ${roundsWanted} releases made` };
  if (task.privacy.mode === 'none') return null;
  const charged = await storage.roundsCharged(task.name);
  if (charged < planned) return null;
  return { code: 'budget.exhausted', message: `task ${task.name}: ${charged} of ${planned} rounds of its budget spent, ${done} of ${roundsWanted} releases made` };
}
