/**
 * Runs in MLflow Tracking, over its REST interface (https://mlflow.org/docs/latest/rest-api.html, version 2.0). A tracking server
 * that fails never spoils a run: it is told once, and the rest of the run is not logged. The server sees figures of releases and
 * the scenario; no histories.
 */
import * as z from 'zod';
import type { Json } from '../../../shared/protocol/canonical-json.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import type { LoggedRun, RunLogger } from '../run-logger.ts';
import { metricScalars, roundScalars, type Scalars } from './scalars.ts';

export interface MlflowOptions {
  /** Of the tracking server: `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Made if there is none of this name. */
  readonly experiment: string;
  /** Hears once of what went wrong, with code `network.unreachable`. */
  readonly onError: (error: CestaError) => void;
  /** Such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
  readonly nowMs?: () => number;
}

/** Of one request, by MLflow's own limits; values of parameters were that short before version 2.8. */
const limits = { metrics: 1000, params: 100, valueLength: 500 } as const;
const timeoutMs = 10_000;
/** Logged with every round: tells how far a run had come. */
const markerMetric = 'round/released';

const experimentSchema = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const createdSchema = z.object({ experiment_id: z.string() });
const infoSchema = z.object({ run_id: z.string(), start_time: z.coerce.number() });
const runSchema = z.object({ run: z.object({ info: infoSchema }) });
const foundSchema = z.object({
  runs: z.array(z.object({ info: infoSchema, data: z.object({ metrics: z.array(z.object({ key: z.string(), step: z.coerce.number().default(0) })).default([]) }).prefault({}) })).default([]),
});

type Call = <T>(path: string, schema: z.ZodType<T>, body?: Json) => Promise<T>;

/** An answer that says why it refuses; `code` is MLflow's own. */
interface Refusal {
  readonly status: number;
  readonly code: string;
}

/** Where a run is logged. Times are of its start and the virtual time since, so that a round told again is the same round. */
interface Target {
  readonly runId: string;
  readonly startMs: number;
  /** Rounds up to this one are there already. */
  readonly loggedRounds: number;
}

/**
 * Of one run. The tag `cesta.id` tells runs apart: a run that goes on after an interruption goes on in MLflow, too. One that never
 * ends stays "running" there. Metrics are named as MLflow allows: `metrics/ndcg_at_10`.
 * @example createMlflowLog({ url: 'http://127.0.0.1:5000', experiment: 'frontier', onError: (error) => console.error(error.message) });
 */
export function createMlflowLog({ url, experiment, onError, headers = {}, fetch: ask = fetch, nowMs = Date.now }: MlflowOptions): RunLogger {
  const call = createCall(url, headers, ask);
  let target: Target | undefined;
  let last = { round: 0, virtualSeconds: 0 };
  const unlessBroken = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      target = undefined;
      onError(toCestaError(error));
    }
  };
  const log = async ({ runId, startMs }: Target, scalars: Scalars): Promise<void> => {
    const timestamp = startMs + Math.round(1000 * last.virtualSeconds);
    const metrics = scalars.filter(([, value]) => Number.isFinite(value)).map(([name, value]) => ({ key: mlflowName(name), value, timestamp, step: last.round }));
    for (const some of chunks(metrics, limits.metrics)) await call('runs/log-batch', z.unknown(), { run_id: runId, metrics: some });
  };
  return {
    start: (run) => unlessBroken(async () => {
      target = await targetOf(call, await experimentId(call, experiment), run, nowMs());
      for (const params of chunks(paramsOf(run.scenario), limits.params)) await call('runs/log-batch', z.unknown(), { run_id: target.runId, params });
    }),
    round: (record) => unlessBroken(async () => {
      last = record;
      if (target !== undefined && record.round > target.loggedRounds) await log(target, roundScalars(record));
    }),
    end: ({ metrics, epsilon, dataHash }) => unlessBroken(async () => {
      if (target === undefined) return;
      await log(target, metricScalars('result', { ...metrics, ...(epsilon === null ? {} : { epsilon }) }));
      await call('runs/log-batch', z.unknown(), { run_id: target.runId, tags: [{ key: 'cesta.data', value: dataHash }] });
      await call('runs/update', z.unknown(), { run_id: target.runId, status: 'FINISHED', end_time: nowMs() });
    }),
  };
}

/** A call without a body is a GET. */
function createCall(url: string, headers: Readonly<Record<string, string>>, ask: typeof fetch): Call {
  return async (path, schema, body) => {
    const address = new URL(`api/2.0/mlflow/${path}`, url.endsWith('/') ? url : `${url}/`);
    const init = body === undefined ? { headers } : { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    const response = await ask(address, { ...init, signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
      throw new CestaError('network.unreachable', `mlflow: expected an answer of ${address.origin} to ${path.split('?')[0]}, got ${String(cause)}`, { cause });
    });
    const text = await response.text();
    if (!response.ok) {
      const refusal: Refusal = { status: response.status, code: errorCodeOf(text) };
      throw new CestaError('network.unreachable', `mlflow: expected status 200 for ${path.split('?')[0]}, got ${refusal.status} ${refusal.code}`, { cause: refusal });
    }
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success) throw new CestaError('network.unreachable', `mlflow: expected an answer of its REST interface to ${path.split('?')[0]}, got ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
    return parsed.data;
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorCodeOf(text: string): string {
  const parsed = z.object({ error_code: z.string() }).safeParse(jsonOf(text));
  return parsed.success ? parsed.data.error_code : '';
}

function refusedWith(error: unknown, code: string): boolean {
  return error instanceof CestaError && (error.cause as Partial<Refusal> | undefined)?.code === code;
}

async function experimentId(call: Call, name: string): Promise<string> {
  const byName = async (): Promise<string> => (await call(`experiments/get-by-name?${new URLSearchParams({ experiment_name: name })}`, experimentSchema)).experiment.experiment_id;
  try {
    return await byName();
  } catch (error) {
    if (!refusedWith(error, 'RESOURCE_DOES_NOT_EXIST')) throw error;
  }
  try {
    return (await call('experiments/create', createdSchema, { name })).experiment_id;
  } catch (error) {
    // A job that runs beside this one made it in between.
    if (!refusedWith(error, 'RESOURCE_ALREADY_EXISTS')) throw error;
    return byName();
  }
}

async function targetOf(call: Call, experiment: string, { id, label }: LoggedRun, nowMs: number): Promise<Target> {
  const { runs: [known] } = await call('runs/search', foundSchema, { experiment_ids: [experiment], filter: `tags."cesta.id" = '${id}'`, max_results: 1 });
  if (known !== undefined) return { runId: known.info.run_id, startMs: known.info.start_time, loggedRounds: known.data.metrics.find(({ key }) => key === markerMetric)?.step ?? 0 };
  const tags = [{ key: 'mlflow.runName', value: label }, { key: 'mlflow.source.name', value: 'cesta' }, { key: 'cesta.id', value: id }];
  const { run } = await call('runs/create', runSchema, { experiment_id: experiment, start_time: nowMs, tags });
  return { runId: run.info.run_id, startMs: run.info.start_time, loggedRounds: 0 };
}

/** Every leaf of the scenario by its path, as sweeps name it: `privacy.epsilon`. */
function paramsOf(value: Json, path = ''): readonly { readonly key: string; readonly value: string }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ key: path, value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, limits.valueLength) }];
  return Object.entries(value).flatMap(([key, field]) => (field === undefined ? [] : paramsOf(field, path === '' ? key : `${path}.${key}`)));
}

/** MLflow takes letters, digits, `_ - . /` and spaces; colons in later versions only. */
function mlflowName(name: string): string {
  return name.replaceAll('@', '_at_').replace(/[^\w\-. /]/g, '_');
}

function chunks<T>(values: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size));
}
