/**
 * Which model the next round of a task trains. Mostly the task's own; but `neighbours` over a catalogue without text
 * and with too many pairs needs to know first which items are worth pairing, and a private popularity count tells.
 * That count is one round more, under the same total promise, and its release is served until the next one.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { candidateSource } from '../recommender/candidates.ts';
import { mostPopular } from '../recommender/popularity.ts';
import { CestaError } from '../protocol/errors.ts';
import type { Manifest } from './release.ts';
import type { TaskSpec } from './task.ts';

export type StageModel = Manifest['model'];

/** A release as far as the next stage looks at it. */
export interface StageRelease {
  readonly model: StageModel;
  readonly params: unknown;
}

function countedItems({ model }: TaskSpec, catalogue: Catalogue): number {
  if (model.kind !== 'neighbours' || 'topItems' in model.hyperParameters) return 0;
  const source = candidateSource(catalogue);
  return source.kind === 'top-items' ? source.limit : 0;
}

/** The task with the rounds it really takes: one more where a first count is needed. */
export function withFirstCount(task: TaskSpec, catalogue: Catalogue): TaskSpec {
  if (countedItems(task, catalogue) === 0) return task;
  return { ...task, privacy: { ...task.privacy, rounds: task.privacy.rounds + 1 } };
}

const countSchema = z.object({ popularity: z.instanceof(Float32Array) });

/** @param current the release that is served, or null before the first */
export function nextModel(task: TaskSpec, catalogue: Catalogue, current: StageRelease | null): StageModel {
  const limit = countedItems(task, catalogue);
  if (limit === 0) return task.model;
  if (current === null) return { kind: 'popularity', hyperParameters: {} };
  if (current.model.kind === task.model.kind) return current.model;
  const counted = countSchema.safeParse(current.params);
  if (!counted.success) throw new CestaError('internal', `first count: expected a release of popularity, got ${current.model.kind}`);
  const topItems = mostPopular(counted.data.popularity, limit).sort((a, b) => a - b);
  return { kind: task.model.kind, hyperParameters: { ...task.model.hyperParameters, topItems } };
}

/** Whether a round of `model` continues from a release: only from one of the same model, layout included. */
export function continuesFrom(model: StageModel, current: StageRelease | null): boolean {
  return current !== null && current.model.kind === model.kind;
}
