/**
 * The tasks of a federation: made, paused, resumed and cancelled while the coordinator runs. One round is open at a
 * time, whichever task it is for: shops have one connection and answer one invitation.
 */
import type { PrivacyMode } from '../shared/federation/plan.ts';
import { sharesOf } from '../shared/federation/noise-terms.ts';
import { parseTaskSpec } from '../shared/federation/task.ts';
import type { ModelKind } from '../shared/recommender/federated-model.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { GatewayEvents } from './gateway/context.ts';
import type { Gateway } from './gateway.ts';
import type { Releases } from './releases.ts';
import type { SchedulePhase } from './schedule.ts';
import type { TaskState } from './storage/storage.ts';
import { roundsPlanned, type TaskOver } from './task-over.ts';
import { prepareTask, runTask, type PreparedTask, type SharedContext, type TaskContext, type TaskRuntime } from './task-runtime.ts';

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

export interface Tasks {
  readonly desk: TaskDesk;
  /** The task that is meant where none is named. */
  readonly main: TaskRuntime;
  find(name: string): TaskRuntime | null;
  /** The main one first. */
  all(): readonly TaskRuntime[];
  /** What the gateway tells the rounds. */
  readonly events: GatewayEvents;
  /** Nodes of one organisation that no running task can do without counting on: as many as may collude. */
  mostPerOrganisation(): number;
  /** Through which the tasks speak to shops: before anybody may connect. */
  attach(gateway: Gateway): void;
  /** Opens rounds from now on, the main task's first. */
  start(): Promise<void>;
  /** Opens no more rounds; resolves when the open one has ended by itself, or was stopped. */
  drain(): Promise<void>;
  stop(reason: string): Promise<void>;
}

interface Book {
  readonly context: TaskContext;
  /** By name, the main one first. */
  readonly tasks: Map<string, TaskRuntime>;
  gateway: Gateway | null;
  /** Why no task of the federation opens a round any more. */
  over: TaskOver | null;
  readonly onOver: (over: TaskOver) => void;
  /** No task is made any more: nobody would tell it to open no round. */
  isLeaving: boolean;
  /** One change at a time: two of one name must not both be made. */
  changes: Promise<unknown>;
}

/**
 * @param prepared the main task first
 * @param onOver hears when no task has anything left to do: again, if tasks were made meanwhile
 */
export function createTasks(shared: SharedContext, prepared: readonly PreparedTask[], onOver: (over: TaskOver) => void): Tasks {
  const all = (): readonly TaskRuntime[] => [...book.tasks.values()];
  const context: TaskContext = {
    ...shared,
    isBusy: (participant) => all().some(({ schedule }) => schedule.owes(participant)),
    onFree: () => all().forEach(({ schedule }) => schedule.consider()),
    onOver: (over) => endIfAllOver(book, over),
  };
  const book: Book = { context, tasks: new Map(), gateway: null, over: null, onOver, isLeaving: false, changes: Promise.resolve() };
  const [first] = prepared;
  return {
    desk: deskOf(book),
    get main() {
      return runtimeOf(book, first.spec.name);
    },
    find: (name) => book.tasks.get(name) ?? null,
    all,
    events: eventsOf(book),
    mostPerOrganisation: () => Math.min(...all().map(({ spec, state }) => (state !== 'cancelled' && spec.privacy.mode === 'distributed' ? sharesOf(spec).colluding : Infinity))),
    attach(gateway) {
      book.gateway = gateway;
      for (const task of prepared) book.tasks.set(task.spec.name, runTask(context, task, gateway));
    },
    async start() {
      for (const task of all()) await startTask(task);
    },
    async drain() {
      book.isLeaving = true;
      const drainAll = (): Promise<unknown> => Promise.all(all().map(({ schedule }) => schedule.drain()));
      // A task that is just being made is among them the second time.
      await Promise.all([book.changes, drainAll()]);
      await drainAll();
    },
    async stop(reason) {
      book.isLeaving = true;
      await book.changes;
      await Promise.all(all().map(({ schedule }) => schedule.stop(reason)));
    },
  };
}

async function startTask({ spec, state, schedule }: TaskRuntime): Promise<void> {
  if (state === 'cancelled') await schedule.cancel(cancelled(spec.name));
  else await schedule.start();
}

function cancelled(name: string): TaskOver {
  return { code: 'task.cancelled', message: `task ${name} was cancelled by the operator` };
}

/** Shops hear that it is over when it is for all tasks: until then, another may need them. */
function endIfAllOver(book: Book, over: TaskOver): void {
  const { tasks, gateway } = book;
  if (gateway === null || [...tasks.values()].some(({ schedule }) => schedule.over === null)) return;
  book.over = over;
  for (const participant of gateway.ready()) gateway.send(participant, { type: 'task-over', ...over });
  book.onOver(over);
}

function runtimeOf({ tasks }: Book, name: string): TaskRuntime {
  const task = tasks.get(name);
  if (task === undefined) throw new CestaError('task.not-found', `task: expected one of ${[...tasks.keys()].join(', ')}, got ${JSON.stringify(name.slice(0, 80))}`);
  return task;
}

function deskOf(book: Book): TaskDesk {
  const { records: { storage } } = book.context;
  const change = (name: string, to: TaskState, apply: (task: TaskRuntime) => void | Promise<void>): Promise<TaskStatus> => inTurn(book, async () => {
    const task = runtimeOf(book, name);
    if (task.state === 'cancelled') throw new CestaError('task.state', `task ${name}: expected one that is not cancelled, got one that is`);
    if (task.state !== to) {
      await storage.setTaskState(name, to);
      task.state = to;
      await apply(task);
      book.context.logger.info({ task: name, state: to }, 'the state of a task was changed');
    }
    return statusOf(book, task);
  });
  return {
    list: () => Promise.all([...book.tasks.values()].map((task) => statusOf(book, task))),
    status: async (name) => statusOf(book, runtimeOf(book, name)),
    create: (spec) => inTurn(book, () => create(book, spec)),
    pause: (name) => change(name, 'paused', ({ schedule }) => schedule.pause()),
    resume: (name) => change(name, 'active', ({ schedule }) => schedule.resume()),
    cancel: (name) => change(name, 'cancelled', ({ schedule }) => schedule.cancel(cancelled(name))),
    releases: (name) => runtimeOf(book, name).releases,
  };
}

function inTurn<T>(book: Book, action: () => Promise<T>): Promise<T> {
  const turn = book.changes.then(action);
  book.changes = turn.catch(() => undefined);
  return turn;
}

async function create(book: Book, input: unknown): Promise<TaskStatus> {
  const { context, gateway, tasks } = book;
  if (gateway === null) throw new CestaError('internal', 'tasks: expected them to be started before one is made');
  if (book.isLeaving) throw new CestaError('coordinator.draining', 'tasks: expected a coordinator that goes on, got one that is stopping');
  const spec = parseTaskSpec(input);
  if (tasks.has(spec.name)) throw new CestaError('task.exists', `name: expected one that no task has, got ${spec.name}`);
  const task = runTask(context, await prepareTask(context, spec), gateway);
  tasks.set(spec.name, task);
  book.over = null;
  context.logger.info({ task: spec.name, model: spec.model.kind, mode: spec.privacy.mode }, 'task made');
  await startTask(task);
  return statusOf(book, task);
}

async function statusOf({ context: { records: { storage }, room } }: Book, { spec, state, createdAt, releases, schedule }: TaskRuntime): Promise<TaskStatus> {
  return {
    name: spec.name,
    state,
    phase: schedule.phase,
    model: spec.model.kind,
    mode: spec.privacy.mode,
    version: releases.current?.manifest.version ?? null,
    roundsCharged: await storage.roundsCharged(spec.name),
    roundsPlanned: roundsPlanned(spec, room),
    over: schedule.over,
    createdAt,
  };
}

function eventsOf(book: Book): GatewayEvents {
  const all = (): readonly TaskRuntime[] => [...book.tasks.values()];
  return {
    ready(participant, resumed) {
      if (book.over !== null) book.gateway?.send(participant, { type: 'task-over', ...book.over });
      for (const { schedule } of all()) schedule.ready(participant, resumed);
    },
    message: (participant, message) => scheduleOf(book, message.round).message(participant, message),
    chunk: (participant, chunk) => scheduleOf(book, chunk.round).chunk(participant, chunk),
    expelled: (participant, error) => all().forEach(({ schedule }) => schedule.expelled(participant, error)),
    left: (participant) => all().forEach(({ schedule }) => schedule.left(participant)),
  };
}

/** Rounds carry the name of their task; what names none is for whoever has a round open to refuse. */
function scheduleOf({ tasks, context: { floor } }: Book, round: string): GatewayEvents {
  const named = tasks.get(round.slice(0, Math.max(0, round.lastIndexOf('-'))));
  const [first] = tasks.values();
  return (named ?? tasks.get(floor.holder ?? '') ?? first).schedule;
}
