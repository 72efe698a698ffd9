/**
 * The coordinator at this moment, told to whoever watches. It is looked at four times a second while somebody does, and
 * told where it has changed; nobody in the rooms that are looked at knows. Streams are for anybody, so their number is
 * bounded, and whoever does not read is cut off.
 */
import type { Response } from 'express';
import type { Logger } from 'pino';
import type { Round } from '../../shared/federation/round.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import type { ServedTask } from '../http/task-routes.ts';
import type { MetricSources, Tally } from '../metrics.ts';
import { shownNow, viewRound, type RoundView } from './round-view.ts';
import type { Live, LiveTask } from './schemas.ts';

/** Where the figures are, once all rooms stand. */
export interface LiveSources extends Pick<MetricSources, 'connections' | 'shopsReady' | 'logSize' | 'budgets'> {
  /** The main one first. */
  readonly tasks: () => readonly ServedTask[];
  readonly lastRound: (task: string) => Promise<{ readonly number: number } | null>;
}

export interface LiveFeed {
  watch(sources: LiveSources): void;
  /** Hears every step of every round. */
  round(round: Round): void;
  snapshot(): Promise<Live>;
  /** Writes to the response until either side ends. @throws CestaError `limit.rate`, `coordinator.draining` */
  stream(response: StreamResponse): void;
  /** Ends all streams, and lets nobody in any more. */
  close(): void;
}

/** The part of a response that a stream needs. */
export type StreamResponse = Pick<Response, 'write' | 'end' | 'destroy' | 'writableLength' | 'once' | 'writeHead' | 'flushHeaders'>;

export interface LiveParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tally: () => Tally;
  readonly limits?: Partial<LiveLimits>;
}

export interface LiveLimits {
  readonly streams: number;
  /** From one look to the next. */
  readonly intervalMs: number;
  readonly heartbeatMs: number;
  /** What may wait for a reader. */
  readonly backlogBytes: number;
}

const usualLimits: LiveLimits = { streams: 200, intervalMs: 250, heartbeatMs: 15_000, backlogBytes: 262_144 };

export const streamType = 'text/event-stream';

export function createLive({ clock, logger, tally, limits: given = {} }: LiveParts): LiveFeed {
  const limits = { ...usualLimits, ...given };
  let view: RoundView | null = null;
  const { watch, read } = createReader({ clock, tally, round: () => view });
  const audience = createAudience({ clock, logger, limits, read });
  return {
    watch,
    round: (round) => void (view = viewRound(view, round, { clock, tally: tally() })),
    snapshot: async () => (await read()).live,
    ...audience,
  };
}

interface Reading {
  readonly live: Live;
  /** Equal for two readings that tell the same. */
  readonly told: string;
}

function createReader({ clock, tally, round }: { readonly clock: Clock; readonly tally: () => Tally; readonly round: () => RoundView | null }): { readonly watch: (sources: LiveSources) => void; readonly read: () => Promise<Reading> } {
  let sources: LiveSources | null = null;
  let slow: { readonly of: string; readonly tasks: readonly LiveTask[] } | null = null;

  /** The journal is asked only where something that it is told of has changed. */
  async function tasksOf(from: LiveSources): Promise<readonly LiveTask[]> {
    const tasks = from.tasks();
    const of = JSON.stringify([from.logSize(), round()?.shown.round, round()?.shown.phase, tasks.map(({ spec, state, schedule, releases }) => [spec.name, state, schedule.phase, releases.current?.manifest.version])]);
    if (slow?.of === of) return slow.tasks;
    const budgets = await from.budgets();
    const described = await Promise.all(tasks.map(async (task): Promise<LiveTask> => {
      const { epsilonSpent = null, epsilonLimit = null, delta = null } = budgets.find((budget) => budget.task === task.spec.name) ?? {};
      return { ...describeTask(task), rounds: (await from.lastRound(task.spec.name))?.number ?? 0, epsilonSpent, epsilonLimit, delta };
    }));
    slow = { of, tasks: described };
    return described;
  }

  return {
    watch: (given) => void (sources = given),
    async read() {
      if (sources === null) throw new CestaError('internal', 'live: expected the sources of its figures before they are asked for');
      const tasks = await tasksOf(sources);
      const { bytesUp, bytesDown, refused } = tally();
      const told = { tasks: [...tasks], round: shownNow(round(), { bytesUp, bytesDown }), connections: sources.connections(), shopsReady: sources.shopsReady(), bytesUp, bytesDown, refused, logSize: sources.logSize() };
      return { live: { at: clock.date().toISOString(), ...told }, told: JSON.stringify(told) };
    },
  };
}

function describeTask({ spec, state, schedule: { phase, over }, releases: { current } }: ServedTask): Omit<LiveTask, 'rounds' | 'epsilonSpent' | 'epsilonLimit' | 'delta'> {
  return {
    task: spec.name, model: spec.model.kind, mode: spec.privacy.mode, state, phase,
    over: over === null ? null : { ...over },
    release: current === null ? null : { version: current.manifest.version, createdAt: current.manifest.createdAt, sha256: current.sha256 },
  };
}

interface Reader {
  readonly response: StreamResponse;
  /** Of the last event it was sent; 0 before the first. */
  seen: number;
}

interface AudienceParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: LiveLimits;
  readonly read: () => Promise<Reading>;
}

function createAudience({ clock, logger, limits, read }: AudienceParts): Pick<LiveFeed, 'stream' | 'close'> {
  const readers = new Set<Reader>();
  let [isLooking, isClosed] = [false, false];
  let cancelTimer: () => void = () => undefined;
  let [told, number, saidAt] = ['', 0, 0];

  function send(reader: Reader, text: string): void {
    // Cut off at once: what waits for one reader would wait for thousands.
    if (reader.response.writableLength > limits.backlogBytes) {
      readers.delete(reader);
      reader.response.destroy();
      return;
    }
    reader.response.write(text);
  }

  function tell({ live, told: now }: Reading): void {
    const isNews = now !== told;
    if (isNews) number += 1;
    told = now;
    const event = `id: ${number}\nevent: snapshot\ndata: ${JSON.stringify(live)}\n\n`;
    const isDue = isNews || clock.now() - saidAt >= limits.heartbeatMs;
    for (const reader of [...readers]) {
      if (reader.seen < number) send(reader, event);
      else if (isDue) send(reader, ': still here\n\n');
      reader.seen = number;
    }
    if (isDue) saidAt = clock.now();
  }

  async function look(): Promise<void> {
    isLooking = true;
    try {
      tell(await read());
    } catch (error) {
      // The next look may find the storage answering again.
      logger.warn({ err: error, code: toCestaError(error).code }, 'the state of the coordinator could not be read for those who watch it');
    }
    if (readers.size > 0) cancelTimer = clock.after(limits.intervalMs, () => void look());
    else isLooking = false;
  }

  return {
    stream(response) {
      if (isClosed) throw new CestaError('coordinator.draining', 'stream: expected a coordinator that goes on, got one that is stopping');
      if (readers.size >= limits.streams) throw new CestaError('limit.rate', `streams: expected fewer than ${limits.streams} at a time, got another; GET /v1/rounds/snapshot tells the same once`);
      const reader: Reader = { response, seen: 0 };
      readers.add(reader);
      response.once('close', () => readers.delete(reader));
      response.writeHead(200, { 'Content-Type': streamType, 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      response.flushHeaders();
      if (!isLooking) void look();
    },
    close() {
      isClosed = true;
      cancelTimer();
      for (const { response } of readers) response.end('event: end\ndata: {}\n\n');
      readers.clear();
    },
  };
}
