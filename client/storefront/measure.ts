/**
 * Experiments on a device: finds out its arm by itself, notes how far it came, and reports that once, randomised, at a time that
 * depends on nothing it saw. Below degree 3 it notes and reports nothing, and when less than 3 is chosen, what it noted is gone.
 *
 * Epsilon of reports adds up on the device and counts against the shopper's own bound together with that of rounds. A report is
 * on record before it leaves, and is repeated as it is: a second draw would cost again. It does not protect against the time of
 * a request and its address, which the shop's server sees as with any other.
 */
import * as z from 'zod/mini';
import { permits } from '../../shared/commerce/consent.ts';
import { armOf, dueMs, isRunning, levels, type Level, type Subject } from '../../shared/commerce/experiments.ts';
import { encodeMeasurement, measurementSchema } from '../../shared/commerce/measurement.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { respond } from '../../shared/privacy/randomised-response.ts';
import { addressBelow, requestJson, type Fetch } from '../http.ts';
import { nonceSecurely, systemRandom } from '../secure-random.ts';
import type { Cesta } from './api.ts';
import { openDeviceStore, type DeviceStore } from './device-store.ts';
import { measureDatabase, measureRecord } from './device-constants.ts';
import { forgotten } from './forget-measured.ts';

const recordSchema = z.object({
  salt: z.nullable(z.string().check(z.regex(/^[0-9a-f]{32}$/))),
  /** Unix time in milliseconds, of the first meeting; by experiment. */
  met: z.record(z.string(), z.number()),
  reached: z.record(z.string(), z.int().check(z.gte(0), z.lte(levels.length - 1))),
  reports: z.record(z.string(), z.object({ body: measurementSchema, isSent: z.boolean() })),
  /** Of all reports ever made here. */
  epsilonSpent: z.number().check(z.nonnegative()),
});
type MeasureRecord = z.infer<typeof recordSchema>;

const emptyRecord: MeasureRecord = { salt: null, met: {}, reached: {}, reports: {}, epsilonSpent: 0 };

export interface MeasureOptions {
  readonly cesta: Pick<Cesta, 'privacy' | 'subscribe' | 'loaded'>;
  /** Where the shop node's storefront API is served. */
  readonly shop: string;
  readonly store?: DeviceStore;
  readonly fetch?: Fetch;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

export type Reported = 'sent' | 'not-due' | 'over-bound' | 'no-consent' | 'done-before';

export interface Measure {
  /** Index of this device's arm; null below degree 3 or when the experiment does not run: then the first arm is meant. */
  arm(subject: Subject): Promise<number | null>;
  /** Nothing below degree 3, nor before the arm was asked for. The furthest level counts. */
  note(subject: Subject, level: Level): Promise<void>;
  /** The furthest level that was noted; null before any. */
  reached(subject: Subject): Promise<Level | null>;
  /** Sends the one report that is due, if it is. @throws CestaError `network.unreachable`; it is repeated at the next call */
  report(subject: Subject): Promise<Reported>;
  /** By reports alone; `cesta.privacy.epsilon` has that of rounds. */
  epsilonSpent(): Promise<number>;
  close(): void;
}

/**
 * @throws CestaError `storage.failed`
 * @example
 * const measure = await openMeasure({ cesta, shop: '/shop' });
 * const arm = experiment.arms[(await measure.arm(experiment)) ?? 0];
 */
export async function openMeasure(options: MeasureOptions): Promise<Measure> {
  const { cesta, shop, now = Date.now, fetch = globalThis.fetch.bind(globalThis) } = options;
  const store = options.store ?? (await openDeviceStore(measureDatabase));
  const isPermitted = (): boolean => permits(cesta.privacy.degree, 'measure');
  const change = (how: (record: MeasureRecord) => MeasureRecord): Promise<MeasureRecord> => store.update(measureRecord, (value) => how(parseRecord(value)));
  const read = async (): Promise<MeasureRecord> => parseRecord(await store.get(measureRecord));
  // Before it, neither the degree nor the bound nor what was spent is the true one.
  const isLoaded = cesta.loaded.then(() => true, () => false);
  const mayNote = async (): Promise<boolean> => (await isLoaded) && isPermitted();
  const courier = createCourier(fetch, addressBelow(pageAddress(shop), 'v1/measurements'), isPermitted);
  const follow = async (): Promise<void> => {
    if (isWithdrawn(cesta.privacy) && (await store.get(measureRecord)) !== null) await store.update(measureRecord, forgotten);
  };
  const stop = cesta.subscribe((what) => {
    if (what !== 'privacy' || isPermitted()) return;
    courier.abort();
    // Told again at the next start, should the page be closed before it is on disk.
    void isLoaded.then(follow).catch(() => undefined);
  });
  // A page must not wait for it, and every change below waits for the same promise.
  void isLoaded.then(follow).catch(() => undefined);

  return {
    async arm(subject) {
      if (!(await mayNote()) || !isRunning(subject, now())) return null;
      const record = await change((before) => ({ ...before, salt: before.salt ?? nonceSecurely().slice(0, 32), met: { [subject.id]: now(), ...before.met } }));
      return armOf(subject, record.salt ?? '');
    },
    async note({ id }, level) {
      if (!(await mayNote())) return;
      await change((before) => (before.met[id] === undefined ? before : { ...before, reached: { ...before.reached, [id]: Math.max(before.reached[id] ?? 0, levels.indexOf(level)) } }));
    },
    async reached({ id }) {
      const { reached } = await read();
      return reached[id] === undefined ? null : levels[reached[id]];
    },
    async report(subject) {
      if (!(await isLoaded)) return 'over-bound';
      if (!isPermitted()) return 'no-consent';
      const { met, reports } = await read();
      if (reports[subject.id]?.isSent) return 'done-before';
      if (met[subject.id] === undefined || now() < dueMs(subject, met[subject.id])) return 'not-due';
      if (!isPermitted()) return 'no-consent';
      const { epsilon } = cesta.privacy;
      const record = reports[subject.id] === undefined ? await change((before) => reportMade(before, subject, epsilon)) : await read();
      const report = record.reports[subject.id];
      if (report === undefined) return 'over-bound';
      if (!(await courier.send(encodeMeasurement(report.body)))) return 'no-consent';
      await change((before) => ({ ...before, reports: { ...before.reports, [subject.id]: { ...report, isSent: true } } }));
      return 'sent';
    },
    epsilonSpent: async () => (await read()).epsilonSpent,
    close() {
      stop();
      courier.abort();
      store.close();
    },
  };
}

interface Courier {
  /** @returns Whether it arrived: not where the shopper withdrew before, or while it was on its way */
  send(body: string): Promise<boolean>;
  abort(): void;
}

function createCourier(fetch: Fetch, address: string, isPermitted: () => boolean): Courier {
  const leaving = new Set<AbortController>();
  return {
    async send(body) {
      const request = new AbortController();
      leaving.add(request);
      try {
        // Nothing is awaited between this and the request.
        if (!isPermitted()) return false;
        await requestJson((url, init) => fetch(url, { ...init, signal: either(request, init?.signal) }), address, { method: 'POST', body });
        return true;
      } catch (thrown) {
        if (request.signal.aborted && !isPermitted()) return false;
        throw thrown;
      } finally {
        leaving.delete(request);
      }
    },
    abort: () => leaving.forEach((request) => request.abort()),
  };
}

/** Not by a signal that has not decided yet: what it holds up for now shall not be drawn anew, and paid for twice, after it. */
function isWithdrawn({ chosen, cap }: Cesta['privacy']): boolean {
  return !permits(chosen ?? 0, 'measure') || (cap?.by === 'gpc' && !permits(cap.degree, 'measure'));
}

/** Aborted with either; `AbortSignal.any` is newer than browsers this runs in. */
function either(request: AbortController, other: AbortSignal | undefined): AbortSignal {
  other?.addEventListener('abort', () => request.abort(other.reason), { once: true });
  return request.signal;
}

/** The one place where reports and rounds meet: plain addition, which holds for any mix of mechanisms. */
function withinBound(reports: number, rounds: { readonly spent: number; readonly bound: number }, next: number): boolean {
  return rounds.spent + reports + next <= rounds.bound;
}

/** With the report of this experiment; as it was, where that would pass the bound. */
function reportMade(before: MeasureRecord, subject: Subject, rounds: { readonly spent: number; readonly bound: number }): MeasureRecord {
  const { id, measure: { epsilon } } = subject;
  // Another tab was first.
  if (before.reports[id] !== undefined || before.salt === null || !withinBound(before.epsilonSpent, rounds, epsilon)) return before;
  const { value } = respond(before.reached[id] ?? 0, { values: levels.length, epsilon }, systemRandom());
  const body = { id: nonceSecurely().slice(0, 32), subject: id, arm: armOf(subject, before.salt), value };
  return { ...before, reports: { ...before.reports, [id]: { body, isSent: false } }, epsilonSpent: before.epsilonSpent + epsilon };
}

function parseRecord(value: unknown): MeasureRecord {
  if (value === null) return emptyRecord;
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('storage.failed', `device records, ${measureRecord}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** In a page, addresses may be relative to it. */
function pageAddress(shop: string): URL {
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  return location === undefined ? new URL(shop) : new URL(shop, location.href);
}
