import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../server/http/openapi.ts';
import { coordinatorFor, runRound } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { connectShop, dial, shopNamed } from './support/test-client.ts';

interface Figures {
  /** The value of the one series of these labels, or undefined. */
  (name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

async function scrape(url: string): Promise<{ figures: Figures; text: string; contentType: string | null }> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  const text = await response.text();
  const figures: Figures = (name, labels = {}) => {
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const line = lines.find((candidate) => Object.entries(labels).every(([label, value]) => candidate.includes(`${label}="${value}"`)));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  return { figures, text, contentType: response.headers.get('content-type') };
}

const task = taskInput({ mode: 'local', rounds: 2 });

describe('GET /metrics', () => {
  it('tells what a round did', async () => {
    const { url } = await coordinatorFor({ task, roundsWanted: 1 });
    const before = await scrape(url);
    expect(before.contentType).toContain('text/plain');
    expect(before.figures('cesta_release_version')).toBe(0);
    expect(before.figures('cesta_epsilon', { task: 'trial', budget: 'spent' })).toBe(0);
    const { clients } = await runRound(url, ['corner-shop', 'b']);
    const { figures, text } = await scrape(url);
    expect(figures('cesta_rounds_total', { outcome: 'done' })).toBe(1);
    expect(figures('cesta_phase', { phase: 'over' })).toBe(1);
    expect(figures('cesta_phase', { phase: 'training' })).toBe(0);
    expect(figures('cesta_participants', { state: 'connected' })).toBe(clients.length);
    expect(figures('cesta_participants', { state: 'ready' })).toBe(clients.length);
    expect(figures('cesta_release_version')).toBe(1);
    expect(figures('cesta_log_size')).toBeGreaterThanOrEqual(4);
    const spent = figures('cesta_epsilon', { task: 'trial', budget: 'spent' }) ?? 0;
    expect(spent).toBeGreaterThan(0);
    expect(spent + (figures('cesta_epsilon', { task: 'trial', budget: 'left' }) ?? 0)).toBeCloseTo(3, 9);
    expect(figures('cesta_aggregation_seconds_count', { stage: 'add' })).toBe(2);
    for (const stage of ['decode', 'update', 'publish']) expect([stage, figures('cesta_aggregation_seconds_count', { stage })]).toEqual([stage, 1]);
    expect(figures('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(text).not.toContain('corner-shop');
  });

  it('counts bytes both ways, and what was refused and why', async () => {
    const { url } = await coordinatorFor({ task });
    await connectShop(url, shopNamed('a'));
    const stranger = await dial(url);
    stranger.send({ type: 'nonsense' });
    await stranger.closed;
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404);
    const { figures } = await scrape(url);
    expect(figures('cesta_refused_total', { carrier: 'websocket', code: 'protocol.malformed' })).toBe(1);
    expect(figures('cesta_refused_total', { carrier: 'http', code: 'http.not-found' })).toBe(1);
    for (const carrier of ['http', 'websocket']) {
      for (const direction of ['up', 'down']) expect(figures('cesta_bytes_total', { carrier, direction })).toBeGreaterThan(100);
    }
  });

  it('tells a failed round by its code', async () => {
    const { url } = await coordinatorFor({ task: taskInput({ mode: 'local', rounds: 2, trainingMs: 50 }), retryMs: 60_000 });
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(url, shopNamed(name))).client));
    for (const client of clients) {
      const { plan } = await client.next('invite');
      client.say({ type: 'decline', round: plan.round, code: 'budget.exhausted', message: 'enough' });
    }
    const { code } = await clients[0].next('round-failed');
    expect((await scrape(url)).figures('cesta_rounds_total', { outcome: 'failed', code })).toBe(1);
  });

  it('is one coordinator\'s own, and in the OpenAPI document', async () => {
    const [first, second] = [await coordinatorFor({ task }), await coordinatorFor({ task })];
    await connectShop(first.url, shopNamed('a'));
    expect((await scrape(second.url)).figures('cesta_participants', { state: 'connected' })).toBe(0);
    expect(openApiDocument()['paths']).toHaveProperty('/metrics');
  });
});
