/** Everything that a simulation needs to go on to the same bytes, after a round: as a tensor file, with its state as JSON. */
import * as z from 'zod';
import { modelKinds, type AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { canonicalJson, type Json } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { decodeTensors, encodeTensors, type NamedTensors } from '../../shared/protocol/tensors.ts';
import { privacyEventsSchema } from '../../shared/privacy/accounting/events.ts';
import type { StageModel } from '../../shared/federation/stages.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';
import type { Charge } from './charges.ts';
import { metricsSchema, roundRecordSchema } from './records.ts';
import type { Checkpoint, Measured, RoundRecord } from './simulation.ts';

/** A release, as the next round starts from it. */
export interface Served {
  readonly model: StageModel;
  readonly params: unknown;
  readonly strategy: NamedTensors;
  /** SCAFFOLD's control variates of participants. */
  readonly owns: ReadonlyMap<number, Float32Array>;
}

export interface SimulationState {
  /** Rounds that are over. */
  readonly round: number;
  /** What adaptive clipping arrived at. */
  readonly clipNorm: number | null;
  readonly charges: readonly Charge[];
  readonly records: readonly RoundRecord[];
  /** With a calendar that asks about following days, of every round that was tested: what the result is of. */
  readonly measured: readonly Measured[];
  /** Null before the first release. */
  readonly served: Served | null;
}

export const startState: SimulationState = { round: 0, clipNorm: null, charges: [], records: [], measured: [], served: null };

const measuredSchema = z.strictObject({
  metrics: metricsSchema,
  tests: z.strictObject({ ndcg10: z.array(z.number()), recall10: z.array(z.number()), shops: z.array(z.number().int()) }),
});

const stateSchema = z.strictObject({
  scenario: z.string(),
  dataHash: z.string(),
  round: z.number().int().positive(),
  clipNorm: z.number().nullable(),
  charges: z.array(z.strictObject({ round: z.string(), events: privacyEventsSchema })),
  records: z.array(roundRecordSchema),
  measured: z.array(measuredSchema),
  model: z.strictObject({ kind: z.enum(modelKinds), hyperParameters: z.record(z.string(), z.custom<Json>((value) => z.json().safeParse(value).success)) }).nullable(),
});

/** What a checkpoint is of. */
export interface CheckpointOf {
  readonly scenario: Scenario;
  readonly dataHash: string;
}

const prefixes = { model: 'model/', own: 'own/' } as const;
const stateName = 'state';

/** Sealed when its bytes are asked for: they are as many as there were rounds. */
export function sealCheckpoint(of: CheckpointOf, state: SimulationState, model: AnyFederatedModel | null): Checkpoint {
  return {
    round: state.round,
    get bytes() {
      return sealed(of, state, model);
    },
  };
}

function sealed({ scenario, dataHash }: CheckpointOf, { served, ...rest }: SimulationState, model: AnyFederatedModel | null): Uint8Array {
  const state: z.input<typeof stateSchema> = { ...rest, charges: [...rest.charges], records: rest.records.map((record) => ({ ...record, metrics: record.metrics === null ? null : { ...record.metrics } })), measured: rest.measured.map(writable), scenario: canonicalJson(scenario), dataHash, model: served === null ? null : { kind: served.model.kind, hyperParameters: { ...served.model.hyperParameters } } };
  const json = new TextEncoder().encode(JSON.stringify(state));
  const tensors = served === null || model === null ? {} : {
    ...prefixed(prefixes.model, model.encode(served.params)),
    ...served.strategy,
    ...Object.fromEntries([...served.owns].map(([index, data]) => [`${prefixes.own}${index}`, { shape: [data.length], data }])),
  };
  return encodeTensors({ [stateName]: { shape: [json.length], data: json }, ...tensors });
}

/**
 * @param modelOf makes the model that a checkpoint names
 * @throws CestaError `config.invalid` for a checkpoint of another scenario or other data; `protocol.malformed`, `data.unreadable`
 */
export function openCheckpoint({ bytes }: Checkpoint, { scenario, dataHash }: CheckpointOf, modelOf: (stage: StageModel) => AnyFederatedModel): SimulationState {
  // Every control variate has a line in the header.
  const { tensors } = decodeTensors(bytes, { maxHeaderBytes: 1 << 26 });
  const { scenario: of, dataHash: data, model, measured, ...rest } = stateOf(tensors);
  const state = { ...rest, measured: measured.map(readable) };
  if (of !== canonicalJson(scenario)) throw new CestaError('config.invalid', 'resume: expected a checkpoint of this scenario, got one of another');
  if (data !== dataHash) throw new CestaError('config.invalid', 'resume: expected a checkpoint over the same data, got one over other data');
  if (model === null) return { ...state, served: null };
  const owns = new Map(Object.entries(unprefixed(prefixes.own, tensors)).map(([index, { data: own }]) => [Number(index), Float32Array.from(own)]));
  const strategy = Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith('strategy/')));
  return { ...state, served: { model, params: modelOf(model).decode(unprefixed(prefixes.model, tensors)), strategy, owns } };
}

function writable({ metrics, tests: { ndcg10, recall10, shops } }: Measured): z.input<typeof measuredSchema> {
  return { metrics: { ...metrics }, tests: { ndcg10: [...ndcg10], recall10: [...recall10], shops: [...shops] } };
}

function readable({ metrics, tests: { ndcg10, recall10, shops } }: z.output<typeof measuredSchema>): Measured {
  return { metrics, tests: { ndcg10: Float64Array.from(ndcg10), recall10: Float64Array.from(recall10), shops: Int32Array.from(shops) } };
}

function stateOf(tensors: NamedTensors): z.output<typeof stateSchema> {
  try {
    return stateSchema.parse(JSON.parse(new TextDecoder().decode(tensors[stateName].data)));
  } catch (cause) {
    throw new CestaError('data.unreadable', 'resume: expected a checkpoint of a simulation, got other bytes', { cause });
  }
}

function prefixed(prefix: string, tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function unprefixed(prefix: string, tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])));
}
