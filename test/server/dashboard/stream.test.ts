/** The feed of a real coordinator, over a real connection. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { liveSchema, type Live } from '../../../server/dashboard/schemas.ts';
import { errorSchema } from '../../../server/http/schemas.ts';
import { coordinatorFor, oneOfEach } from '../support/coordinators.ts';
import { taskInput } from '../support/fixtures.ts';
import { connectShop, joinRound, reportUpdate, shopNamed } from '../support/test-client.ts';

interface Stream {
  readonly response: Response;
  /** Everything that came, oldest first. */
  readonly snapshots: readonly Live[];
  /** Resolves once a snapshot is so. */
  until(condition: (live: Live) => boolean): Promise<Live>;
  /** The last event, once the other side has ended. */
  readonly ended: Promise<string>;
}

async function follow(url: string): Promise<Stream> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(`${url}/v1/rounds/stream`, { signal: controller.signal });
  const snapshots: Live[] = [];
  const wakers = new Set<() => void>();
  let last = '';
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      const events = `${text}${decoder.decode(piece, { stream: true })}`.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        last = /^event: (\w+)$/m.exec(event)?.[1] ?? last;
        if (last === 'snapshot') snapshots.push(liveSchema.parse(JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '')));
      }
      for (const wake of [...wakers]) wake();
    }
    return last;
  };
  const ended = read();
  ended.catch(() => undefined);
  return {
    response, snapshots, ended,
    until: (condition) => new Promise((resolve) => {
      const look = (): void => {
        const found = snapshots.findLast(condition);
        if (found === undefined) return;
        wakers.delete(look);
        resolve(found);
      };
      wakers.add(look);
      look();
    }),
  };
}

describe('GET /v1/rounds/stream', () => {
  it('follows a round from the invitation to the release, and names nobody', async () => {
    const { url } = await coordinatorFor({ task: taskInput({ mode: 'local', rounds: 2 }), roundsWanted: 1 });
    const stream = await follow(url);
    expect([stream.response.status, stream.response.headers.get('content-type'), stream.response.headers.get('cache-control')]).toEqual([200, 'text/event-stream', 'no-store']);
    expect(await stream.until(() => true)).toMatchObject({ round: null, logSize: 0, tasks: [{ task: 'trial', phase: 'waiting', rounds: 0, release: null, epsilonSpent: 0, epsilonLimit: 3 }] });
    const clients = await Promise.all(['corner-shop', 'b'].map(async (name) => (await connectShop(url, shopNamed(name))).client));
    expect((await stream.until(({ round }) => round?.phase === 'recruiting')).round).toMatchObject({ invited: 2, waiting: 2, joined: 0, number: 1 });
    const plans = await Promise.all(clients.map(joinRound));
    const training = await stream.until(({ round }) => round?.phase === 'training');
    expect(training.round).toMatchObject({ joined: 2, working: 2, reported: 0 });
    expect(Date.parse(training.round?.deadlineAt ?? '')).toBeGreaterThan(Date.parse(training.at));
    await Promise.all(clients.map((client, i) => reportUpdate(client, plans[i], oneOfEach(plans[i]))));
    const done = await stream.until(({ round, tasks: [task] }) => round?.phase === 'done' && task.release !== null);
    expect(done).toMatchObject({ round: { reported: 2, dropped: 0, version: 1 }, tasks: [{ rounds: 1, release: { version: 1 } }], shopsReady: 2, connections: 2 });
    expect(done.tasks[0].epsilonSpent).toBeGreaterThan(0);
    expect(done.logSize).toBeGreaterThanOrEqual(4);
    expect(done.round?.bytesUp).toBeGreaterThan(0);
    expect(JSON.stringify(stream.snapshots)).not.toContain('corner-shop');
    const phases = stream.snapshots.flatMap(({ round }) => round?.phase ?? []);
    const order = ['recruiting', 'training', 'releasing', 'done'];
    expect(phases).toEqual(phases.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
    expect(stream.snapshots.map(({ at }) => at)).toEqual(stream.snapshots.map(({ at }) => at).toSorted());
  });

  it('ends when the coordinator drains, while what else it serves goes on', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 2 }) });
    const stream = await follow(coordinator.url);
    await stream.until(() => true);
    void coordinator.drain(2 ** 40);
    expect(await stream.ended).toBe('end');
    const refused = await fetch(`${coordinator.url}/v1/rounds/stream`);
    expect([refused.status, errorSchema.parse(await refused.json()).error.code]).toEqual([503, 'coordinator.draining']);
    expect(liveSchema.parse(await (await fetch(`${coordinator.url}/v1/rounds/snapshot`)).json())).toMatchObject({ round: null });
  });

  it('keeps no coordinator from closing', async () => {
    const coordinator = await coordinatorFor();
    const stream = await follow(coordinator.url);
    await stream.until(() => true);
    await coordinator.close();
    expect(await stream.ended).toBe('end');
  });

  it('answers a request for its headers alone, and is over then', async () => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}/v1/rounds/stream`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, 'text/event-stream', '']);
  });
});
