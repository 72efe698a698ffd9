/** Shops that are slow in one task, and what else they are asked meanwhile: other tasks, evaluations of releases. */
import { describe, expect, it } from 'vitest';
import type { Coordinator } from '../../server/coordinator.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { coordinatorFor, oneOfEach, takePart } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { announceReport, connectShop, joinRound, reportUpdate, sendChunks, shopNamed, type TestClient } from './support/test-client.ts';

interface Scene {
  readonly coordinator: Coordinator;
  readonly a: TestClient;
  readonly b: TestClient;
  /** Was told to train in the second round, and has not reported when `closes` is called, which closes it. */
  readonly slow: TestClient;
  readonly plan: Plan;
  readonly closes: () => Promise<void>;
}

async function scene(task: unknown): Promise<Scene> {
  const coordinator = await coordinatorFor({ task });
  const connect = async (name: string): Promise<TestClient> => (await connectShop(coordinator.url, shopNamed(name))).client;
  const [a, b] = await Promise.all(['a', 'b'].map(connect));
  const first = await Promise.all([a, b].map(joinRound));
  const slow = await connect('slow');
  await Promise.all([a, b].map((client) => reportUpdate(client, first[0], oneOfEach(first[0]))));
  await Promise.all([a, b].map((client) => client.next('round-done')));
  const [plan] = await Promise.all([slow, a, b].map(joinRound));
  await slow.next('train');
  return {
    coordinator, a, b, slow, plan,
    async closes() {
      await Promise.all([a, b].map((client) => reportUpdate(client, plan, oneOfEach(plan))));
      await Promise.all([a, b].map((client) => client.next('round-done')));
    },
  };
}

async function reportLate(slow: TestClient, plan: Plan): Promise<void> {
  announceReport(slow, plan, oneOfEach(plan));
  await slow.next('upload');
  sendChunks(slow, plan.round, oneOfEach(plan));
  await slow.next('accepted');
}

describe('a shop whose late report waits in the buffer of a task', () => {
  it('takes part in other tasks, for as long as that one opens no round', async () => {
    const { coordinator, a, b, slow, plan, closes } = await scene(taskInput({ rounds: 9, buffered: 2 }));
    await coordinator.tasks.pause('trial');
    await closes();
    await reportLate(slow, plan);
    await coordinator.tasks.create(taskInput({ name: 'second', min: 3, target: 3 }));
    const done = await Promise.all([a, b, slow].map((client) => takePart(client)));
    expect(done.map(({ round }) => round)).toEqual(['second-1', 'second-1', 'second-1']);
  });

  it('scores the candidate, where too few others are there', async () => {
    const { a, b, slow, plan, closes } = await scene({ ...(taskInput({ rounds: 9, buffered: 2 }) as object), gate: {} });
    await closes();
    expect((await a.next('invite')).plan).toMatchObject({ round: 'trial-3', model: { kind: 'evaluation' } });
    await reportLate(slow, plan);
    // One shop is left beside the slow one: the evaluation fails, and the next one needs both.
    b.hangUp();
    expect((await a.next('invite')).plan).toMatchObject({ round: 'trial-4', model: { kind: 'evaluation' } });
    expect((await slow.next('invite')).plan.round).toBe('trial-4');
  });
});

describe('the end of a buffered task', () => {
  it('is told to those that are slow in it, though another task goes on', async () => {
    const { coordinator, slow, plan, closes } = await scene(taskInput({ rounds: 2, buffered: 2 }));
    await coordinator.tasks.create(taskInput({ name: 'second', min: 4, target: 4 }));
    await closes();
    expect(await slow.next('round-failed')).toMatchObject({ round: plan.round, message: 'task trial: 2 of 2 releases made' });
  });
});
