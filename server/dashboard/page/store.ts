/** What the page knows beside the feed: the documents of one task, fetched again when the feed says that something has come. */
import { computed, effect, signal } from '@preact/signals';
import type * as z from 'zod';
import { budgetSchema, releasesSchema, roundsSchema } from '../../http/schemas.ts';
import { toCestaError, type CestaError } from '../../../shared/protocol/errors.ts';
import { qualitySchema, type Quality } from '../schemas.ts';
import { ask } from './api.ts';
import { isPaused, live } from './feed.ts';

export type Round = z.infer<typeof roundsSchema>['rounds'][number];
export type Release = z.infer<typeof releasesSchema>['releases'][number];
export type Budget = z.infer<typeof budgetSchema>;

export interface Documents {
  readonly task: string;
  /** The last ones, oldest first. */
  readonly rounds: readonly Round[];
  /** Newest first. */
  readonly releases: readonly Release[];
  readonly budget: Budget;
}

/** The task that is looked at; null for the main one. */
export const chosen = signal<string | null>(null);
export const task = computed(() => live.value?.tasks.find(({ task: name }) => name === chosen.value) ?? live.value?.tasks[0] ?? null);
export const documents = signal<Documents | null>(null);
export const documentsFailure = signal<CestaError | null>(null);

export type Measured =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'measured'; readonly quality: Quality }
  /** Nobody gave the coordinator figures, or it cannot read them. */
  | { readonly kind: 'none'; readonly error: CestaError };

export const measured = signal<Measured>({ kind: 'unknown' });

const shownRounds = 100;

/** Changes when any document of the task may have. */
const edition = computed(() => {
  const { value } = task;
  const round = live.value?.round;
  if (value === null || live.value === null) return null;
  return JSON.stringify([value.task, value.phase, value.state, value.release?.version, value.epsilonSpent, value.rounds, live.value.logSize, round?.task === value.task ? [round.round, round.phase] : null]);
});

const pathOf = (name: string): string => `v1/tasks/${encodeURIComponent(name)}`;

async function load(name: string, rounds: number): Promise<Documents> {
  const path = pathOf(name);
  const [page, { releases }, budget] = await Promise.all([
    ask(`${path}/rounds?after=${Math.max(0, rounds - shownRounds)}`, roundsSchema),
    ask(`${path}/releases`, releasesSchema),
    ask(`${path}/budget`, budgetSchema),
  ]);
  return { task: name, rounds: page.rounds, releases, budget };
}

export async function refresh(): Promise<void> {
  const { value } = task;
  if (value === null) return;
  await Promise.all([refreshQuality(), load(value.task, value.rounds).then((next) => {
    // Another task may have been chosen meanwhile.
    if (task.value?.task === next.task) documents.value = next;
    documentsFailure.value = null;
  }, (error: unknown) => void (documentsFailure.value = toCestaError(error)))]);
}

async function refreshQuality(): Promise<void> {
  try {
    measured.value = { kind: 'measured', quality: await ask('v1/quality', qualitySchema) };
  } catch (error) {
    measured.value = { kind: 'none', error: toCestaError(error) };
  }
}

const qualityMs = 10_000;

/** Refreshes one after the other, and not for each of many changes that come together. */
export function startStore(): void {
  let [isBusy, isWanted] = [false, false];
  const run = async (): Promise<void> => {
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      await refresh();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    isBusy = false;
  };
  effect(() => {
    if (edition.value === null) return;
    isWanted = true;
    if (!isBusy) void run();
  });
  // Releases are measured when nothing else happens.
  setInterval(() => void (measured.value.kind === 'measured' && !isPaused.value && refreshQuality()), qualityMs);
}
