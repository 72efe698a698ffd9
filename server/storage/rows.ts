/** Rows as the rest of the coordinator sees them. JSON columns are parsed again: a disk is outside, too. */
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { gateVerdictSchema, type GateVerdict } from '../../shared/evaluation/gate-rule.ts';
import { parsePlan } from '../../shared/federation/plan.ts';
import { canaryVerdictSchema } from '../../shared/evaluation/exposure-canary.ts';
import { manifestSchema } from '../../shared/federation/release.ts';
import { isErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Schema } from './schema.ts';
import type { EvaluationRecord, ReleaseRecord, RoundRecord, SpendRecord, TaskRecord } from './storage.ts';

const jsonSchema: z.ZodType<Json> = z.json();

/** Reads one JSON column. @throws CestaError `storage.failed` */
export function readJson<T>(column: string, text: string, parse: (value: unknown) => T): T {
  try {
    return parse(JSON.parse(text));
  } catch (cause) {
    throw new CestaError('storage.failed', `${column}: expected what this version wrote, got ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export function readTask(row: Selectable<Schema['tasks']>): TaskRecord {
  return { name: row.name, spec: readJson('tasks.spec', row.spec, (value) => jsonSchema.parse(value)), catalogueHash: row.catalogue_hash, state: row.state, createdAt: row.created_at };
}

export function readRound(row: Selectable<Schema['rounds']> & { readonly result: string | null }): RoundRecord {
  const { failure_code: code, failure_message: message } = row;
  return {
    id: row.id,
    task: row.task,
    number: row.number,
    plan: readJson('rounds.plan', row.plan, parsePlan),
    planHash: row.plan_hash,
    state: row.state,
    openedAt: row.opened_at,
    trainingAt: row.training_at,
    endedAt: row.ended_at,
    participants: row.participants,
    failure: code === null ? null : { code: isErrorCode(code) ? code : 'internal', message: message ?? '' },
    result: readVerdict(row.result),
  };
}

function readVerdict(text: string | null): GateVerdict | null {
  return text === null ? null : readJson('evaluations.result', text, (value) => gateVerdictSchema.parse(value));
}

export function readEvaluation({ round, candidate, served, state, spend, result }: Selectable<Schema['evaluations']> & Pick<EvaluationRecord, 'state' | 'spend'>): EvaluationRecord {
  return { round, candidate, served, state, spend, verdict: readVerdict(result) };
}

export function readSpend(row: Selectable<Schema['spends']> & { readonly candidate: string | null }): SpendRecord {
  return {
    round: row.round,
    purpose: row.candidate === null ? 'training' : 'evaluation',
    event: readJson('spends.event', row.event, (value) => jsonSchema.parse(value)),
    epsilon: row.epsilon,
    delta: row.delta,
    state: row.state,
  };
}

export function readRelease(row: Selectable<Schema['releases']>): ReleaseRecord {
  const { served_by_change: change, served_by_reason: reason } = row;
  return {
    task: row.task,
    version: row.version,
    sha256: row.sha256,
    round: row.round,
    manifest: readJson('releases.manifest', row.manifest, (value) => manifestSchema.parse(value)),
    state: row.state,
    serving: change === null || reason === null ? null : { change, reason },
    previous: row.previous,
    canary: row.canary === null ? null : readJson('releases.canary', row.canary, (value) => canaryVerdictSchema.parse(value)),
  };
}
