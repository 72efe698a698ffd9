/** Tasks that exist in memory alone, for tests of the routes and verbs around them. */
import { parseTaskSpec } from '../../../shared/federation/task.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { TaskState } from '../../../server/storage/storage.ts';
import type { TaskDesk, TaskStatus } from '../../../server/tasks.ts';

export function memoryDesk(): TaskDesk {
  const tasks = new Map<string, TaskStatus>();
  const find = (name: string): TaskStatus => {
    const task = tasks.get(name);
    if (task === undefined) throw new CestaError('task.not-found', `task: expected one that was made, got ${name}`);
    return task;
  };
  const change = (from: readonly TaskState[], to: TaskState) => async (name: string): Promise<TaskStatus> => {
    const task = await Promise.resolve(find(name));
    if (!from.includes(task.state)) throw new CestaError('task.state', `task ${name}: expected it to be ${from.join(' or ')}, got ${task.state}`);
    const changed = { ...task, state: to };
    tasks.set(name, changed);
    return changed;
  };
  return {
    list: () => Promise.resolve([...tasks.values()]),
    status: async (name) => Promise.resolve(find(name)),
    async create(value) {
      const { name, model, privacy } = await Promise.resolve(parseTaskSpec(value));
      if (tasks.has(name)) throw new CestaError('task.exists', `task: expected a new name, got ${name}`);
      const status: TaskStatus = { name, state: 'active', phase: 'waiting', model: model.kind, mode: privacy.mode, version: null, roundsCharged: 0, roundsPlanned: privacy.rounds, over: null, createdAt: '2026-01-02T03:04:05.000Z' };
      tasks.set(name, status);
      return status;
    },
    pause: change(['active'], 'paused'),
    resume: change(['paused'], 'active'),
    cancel: change(['active', 'paused'], 'cancelled'),
    releases(name) {
      throw new CestaError('task.not-found', `task: expected one with releases, got ${name}`);
    },
  };
}
