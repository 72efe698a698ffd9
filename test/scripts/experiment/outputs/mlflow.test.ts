import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createMlflowLog } from '../../../../scripts/experiment/outputs/mlflow.ts';
import type { RunLogger } from '../../../../scripts/experiment/run-logger.ts';
import type { RoundRecord } from '../../../../scripts/simulate/simulation.ts';
import type { CestaError } from '../../../../shared/protocol/errors.ts';
import { exampleRecord, exampleRun } from '../example-result.ts';

interface LoggedMetric { key: string; value: number; timestamp: number; step: number }
interface StoredRun { run_id: string; experiment_id: string; start_time: number; status: string; end_time?: number; tags: Map<string, string>; params: Map<string, string>; metrics: LoggedMetric[] }
interface Tracking { readonly url: string; readonly experiments: Map<string, string>; readonly runs: StoredRun[]; readonly requests: { path: string; authorization: string | undefined }[] }

class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const name = z.string().regex(/^[\w\-. /]{1,250}$/);
const tags = z.array(z.strictObject({ key: name, value: z.string().max(5000) })).max(100).default([]);
const bodies = {
  create: z.strictObject({ name: z.string().min(1) }),
  search: z.strictObject({ experiment_ids: z.array(z.string()).min(1), filter: z.string(), max_results: z.number().int().max(50_000) }),
  run: z.strictObject({ experiment_id: z.string(), start_time: z.number().int(), tags }),
  batch: z.strictObject({
    run_id: z.string(), tags, params: z.array(z.strictObject({ key: name, value: z.string().max(500) })).max(100).default([]),
    metrics: z.array(z.strictObject({ key: name, value: z.number(), timestamp: z.number().int(), step: z.number().int() })).max(1000).default([]),
  }),
  update: z.strictObject({ run_id: z.string(), status: z.enum(['RUNNING', 'FINISHED', 'FAILED', 'KILLED']), end_time: z.number().int() }),
};

/** What MLflow's tracking server checks of each request, as far as its documentation says: fields, names, limits, parameters that never change. */
const answer = (tracking: Tracking, path: string, query: URLSearchParams, body: unknown): unknown => {
  const { experiments, runs } = tracking;
  const found = (id: string): StoredRun => {
    const run = runs.find(({ run_id }) => run_id === id);
    if (run === undefined) throw new Refused(404, 'RESOURCE_DOES_NOT_EXIST');
    return run;
  };
  switch (path) {
    case 'GET experiments/get-by-name': {
      const id = experiments.get(query.get('experiment_name') ?? '');
      if (id === undefined) throw new Refused(404, 'RESOURCE_DOES_NOT_EXIST');
      return { experiment: { experiment_id: id, lifecycle_stage: 'active' } };
    }
    case 'POST experiments/create': {
      const { name: wanted } = bodies.create.parse(body);
      if (experiments.has(wanted)) throw new Refused(400, 'RESOURCE_ALREADY_EXISTS');
      experiments.set(wanted, String(experiments.size + 1));
      return { experiment_id: experiments.get(wanted) };
    }
    case 'POST runs/search': {
      const { experiment_ids, filter } = bodies.search.parse(body);
      const [, wanted] = /^tags\."cesta\.id" = '(\w+)'$/.exec(filter) ?? [];
      const run = runs.find((each) => experiment_ids.includes(each.experiment_id) && each.tags.get('cesta.id') === wanted);
      if (run === undefined) return {};
      const newest = new Map(run.metrics.map((metric) => [metric.key, metric]));
      return { runs: [{ info: { run_id: run.run_id, start_time: run.start_time }, data: { metrics: [...newest.values()] } }] };
    }
    case 'POST runs/create': {
      const wanted = bodies.run.parse(body);
      if (![...experiments.values()].includes(wanted.experiment_id)) throw new Refused(404, 'RESOURCE_DOES_NOT_EXIST');
      const run: StoredRun = { ...wanted, run_id: `run${runs.length + 1}`, status: 'RUNNING', tags: new Map(wanted.tags.map(({ key, value }) => [key, value])), params: new Map(), metrics: [] };
      runs.push(run);
      return { run: { info: { run_id: run.run_id, start_time: run.start_time }, data: {} } };
    }
    case 'POST runs/log-batch': {
      const batch = bodies.batch.parse(body);
      const run = found(batch.run_id);
      if (batch.params.length + batch.metrics.length + batch.tags.length > 1000) throw new Refused(400, 'INVALID_PARAMETER_VALUE');
      for (const { key, value } of batch.params) {
        if ((run.params.get(key) ?? value) !== value) throw new Refused(400, 'INVALID_PARAMETER_VALUE');
        run.params.set(key, value);
      }
      for (const { key, value } of batch.tags) run.tags.set(key, value);
      run.metrics.push(...batch.metrics);
      return {};
    }
    case 'POST runs/update': {
      const { run_id, status, end_time } = bodies.update.parse(body);
      Object.assign(found(run_id), { status, end_time });
      return { run_info: { run_id, status } };
    }
    default:
      throw new Refused(404, 'ENDPOINT_NOT_FOUND');
  }
};

const tracking = async (before: (path: string, state: Tracking) => void = () => undefined): Promise<Tracking> => {
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      const path = `${request.method} ${pathname.replace('/sub/api/2.0/mlflow/', '')}`;
      state.requests.push({ path, authorization: request.headers.authorization });
      const body = await text(request);
      try {
        before(path, state);
        const value = answer(state, path, searchParams, body === '' ? undefined : JSON.parse(body));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      } catch (error) {
        const { status, code } = error instanceof Refused ? error : new Refused(400, `INVALID_PARAMETER_VALUE ${String(error)}`);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error_code: code, message: 'refused' }));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const state: Tracking = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sub`, experiments: new Map(), runs: [], requests: [] };
  return state;
};

const run = { ...exampleRun({ seed: 3 }, 0.1), label: 'epsilon 3, seed 3' };
const startMs = 1_700_000_000_000;
const loggerTo = (url: string, errors: CestaError[] = [], nowMs = () => startMs): RunLogger => createMlflowLog({ url, experiment: 'frontier & more', onError: (error) => errors.push(error), nowMs, headers: { authorization: 'Basic dTpw' } });
const tell = async (logger: RunLogger, records: readonly RoundRecord[], ends = true): Promise<void> => {
  await logger.start(run);
  for (const record of records) await logger.round(record);
  if (ends) await logger.end(run);
};

describe('a log for MLflow', () => {
  it('makes experiment and run, and logs parameters, the figures of each round, and the result', async () => {
    const { url, experiments, runs, requests } = await tracking();
    const errors: CestaError[] = [];
    await tell(loggerTo(url, errors), [exampleRecord(1), exampleRecord(2)]);
    expect(errors).toEqual([]);
    expect([...experiments.keys()]).toEqual(['frontier & more']);
    expect(runs).toHaveLength(1);
    const [{ tags: own, params, metrics, status, end_time }] = runs;
    expect([status, end_time]).toEqual(['FINISHED', startMs]);
    expect(Object.fromEntries(own)).toMatchObject({ 'mlflow.runName': 'epsilon 3, seed 3', 'cesta.id': run.id, 'cesta.data': run.dataHash });
    expect(Object.fromEntries(params)).toMatchObject({ seed: '3', 'privacy.epsilon': '3', 'model.kind': 'neighbours', aggregate: 'mean', 'population.shoppers': 'null' });
    expect(metrics).toContainEqual({ key: 'metrics/ndcg_at_10', value: 0.2, step: 2, timestamp: startMs + 7_200_500 });
    expect(metrics).toContainEqual({ key: 'round/joined', value: 10, step: 1, timestamp: startMs + 3_600_500 });
    expect(metrics).toContainEqual({ key: 'result/ndcg_at_10', value: run.metrics['ndcg@10'], step: 2, timestamp: startMs + 7_200_500 });
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set(['Basic dTpw']));
  });

  it('keeps to the size of a batch, and leaves out what JSON cannot carry', async () => {
    const { url, runs } = await tracking();
    const errors: CestaError[] = [];
    const metrics = { ...Object.fromEntries(Array.from({ length: 2500 }, (_, at) => [`m${at}`, at])), none: NaN, endless: Infinity };
    await tell(loggerTo(url, errors), [exampleRecord(1, { metrics })]);
    expect(errors).toEqual([]);
    expect(runs[0].metrics.filter(({ key }) => key.startsWith('metrics/'))).toHaveLength(2500);
  });

  it('goes on with the run of an interrupted one, and logs no round twice', async () => {
    const { url, runs } = await tracking();
    await tell(loggerTo(url), [exampleRecord(1), exampleRecord(2)], false);
    const later = loggerTo(url, [], () => startMs + 1_000_000);
    await tell(later, [exampleRecord(1), exampleRecord(2), exampleRecord(3)]);
    expect(runs).toHaveLength(1);
    expect(runs[0].metrics.filter(({ key }) => key === 'round/joined')).toEqual([1, 2, 3].map((step) => ({ key: 'round/joined', value: 10, step, timestamp: startMs + 3_600_000 * step + 500 })));
    expect(runs[0]).toMatchObject({ status: 'FINISHED', end_time: startMs + 1_000_000 });
  });

  it('takes the experiment that another job makes at the same moment', async () => {
    const { url, runs } = await tracking((path, { experiments }) => {
      if (path === 'POST experiments/create') experiments.set('frontier & more', '7');
    });
    const errors: CestaError[] = [];
    await tell(loggerTo(url, errors), [exampleRecord(1)]);
    expect([errors, runs[0].experiment_id]).toEqual([[], '7']);
  });

  it('tells once of a server that refuses, asks no more, and lets the run go on', async () => {
    for (const [refused, asked] of [['POST runs/create', 4], ['POST runs/log-batch', 5]] as const) {
      const { url, requests } = await tracking((path) => {
        if (path === refused) throw new Refused(500, 'INTERNAL_ERROR');
      });
      const errors: CestaError[] = [];
      await tell(loggerTo(url, errors), [exampleRecord(1), exampleRecord(2)]);
      expect(errors.map(({ code, message }) => [code, message])).toEqual([['network.unreachable', `mlflow: expected status 200 for ${refused.split(' ')[1]}, got 500 INTERNAL_ERROR`]]);
      expect(requests).toHaveLength(asked);
    }
  });

  it('tells once of a server that is not there, or is none of MLflow', async () => {
    const { url } = await tracking();
    servers.splice(0).forEach((server) => server.close());
    const other = createServer((_, response) => response.end('<html>welcome</html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    servers.push(other);
    for (const [address, message] of [[url, /expected an answer of/], [`http://127.0.0.1:${(other.address() as AddressInfo).port}`, /expected an answer of its REST interface/]] as const) {
      const errors: CestaError[] = [];
      await tell(loggerTo(address, errors), [exampleRecord(1)]);
      expect(errors.map(({ code }) => code)).toEqual(['network.unreachable']);
      expect(errors[0].message).toMatch(message);
    }
  });
});
