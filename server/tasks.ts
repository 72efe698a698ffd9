/**
 * The tasks of a federation: made, paused, resumed and cancelled while the coordinator runs. One round is open at a
 * time, whichever task it is for: shops have one connection and answer one invitation.
 */
import type { PrivacyMode } from '../shared/federation/plan.ts';
import type { ModelKind } from '../shared/recommender/federated-model.ts';
import type { Releases } from './releases.ts';
import type { SchedulePhase, TaskOver } from './schedule.ts';

/** What the operator decided; whether anything is left to do, `over` says. */
export type TaskState = 'active' | 'paused' | 'cancelled';

export interface TaskStatus {
  readonly name: string;
  readonly state: TaskState;
  readonly phase: SchedulePhase;
  readonly model: ModelKind;
  readonly mode: PrivacyMode;
  /** Of the release that is served; null before the first. */
  readonly version: number | null;
  /** Rounds whose budget is charged, and how many the budget is for. */
  readonly roundsCharged: number;
  readonly roundsPlanned: number;
  readonly over: TaskOver | null;
  readonly createdAt: string;
}

/** Every function rejects with `task.not-found` for a name that no task has, `task.state` where the change makes no sense. */
export interface TaskDesk {
  list(): Promise<readonly TaskStatus[]>;
  status(name: string): Promise<TaskStatus>;
  /** @param spec a `TaskSpec`. @throws CestaError `plan.invalid` and others for what cannot be enforced; `task.exists` */
  create(spec: unknown): Promise<TaskStatus>;
  /** Opens no further rounds until it is resumed; the open one goes on. */
  pause(name: string): Promise<TaskStatus>;
  resume(name: string): Promise<TaskStatus>;
  /** For good: ends the open round, unless its release is being made. Releases are served still. */
  cancel(name: string): Promise<TaskStatus>;
  releases(name: string): Releases;
}
