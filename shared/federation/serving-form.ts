/**
 * What storefronts rank with in place of a release: without what only training needs, and with its tables of item rows at
 * one byte a number if that is asked for. A function of the release alone, so that the record of the release vouches for
 * it too: whoever has both compares them. It costs no privacy, since the release is public.
 */
import type { SigningKey } from '../ledger/signing-key.ts';
import { CestaError } from '../protocol/errors.ts';
import type { NamedTensors } from '../protocol/tensors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';
import { quantiseRows, type Precision } from '../recommender/quantised-rows.ts';
import { sealRelease, type Manifest } from './release.ts';
import { strategyPrefix } from './strategies/state-tensors.ts';

export interface ServingForm {
  /** Of the row tables; float32 where the model has none. */
  readonly precision: Precision;
  readonly tensors: NamedTensors;
}

/**
 * The tensors to rank with; null where they are those of the release.
 * @throws CestaError `release.untrusted` for row tables that the release does not have, or has in another form
 */
export function servingForm(tensors: NamedTensors, { rowTables = {} }: Pick<AnyFederatedModel, 'rowTables'>, precision: Precision): ServingForm | null {
  const tables = precision === 'int8' ? Object.entries(rowTables) : [];
  const ranking = Object.entries(tensors).filter(([name]) => !name.startsWith(strategyPrefix));
  if (tables.length === 0 && ranking.length === Object.keys(tensors).length) return null;
  const kept = Object.fromEntries(ranking);
  const quantised = tables.map(([table, width]) => quantiseRows(table, kept, width));
  return { precision: tables.length === 0 ? 'float32' : 'int8', tensors: Object.assign(kept, ...quantised) as NamedTensors };
}

/**
 * The parameters that a storefront ranks with, of those that were trained: to measure what a precision costs.
 * @throws CestaError `config.invalid` for a precision that the model does not have
 */
export function servedParams(model: AnyFederatedModel, params: unknown, precision: Precision): unknown {
  if (precision === 'float32') return params;
  const form = servingForm(model.encode(params), model, precision);
  if (form?.precision !== precision) throw new CestaError('config.invalid', `precision: expected float32 for ${model.kind}, which has no tables of item rows, got ${precision}`);
  return model.decode(form.tensors);
}

/** A release as it was made, opened. */
export interface FullRelease {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly tensors: NamedTensors;
}

export type ServingFile = Pick<FullRelease, 'sha256' | 'bytes'>;

/**
 * The file to serve, signed like a release: it says which release it is of. The release itself where nothing changes.
 * @throws CestaError as {@link servingForm}, and what the model objects to in it
 */
export function sealServingForm({ manifest, sha256, bytes, tensors }: FullRelease, model: Pick<AnyFederatedModel, 'rowTables' | 'decode'>, precision: Precision, key: SigningKey): ServingFile {
  const form = servingForm(tensors, model, precision);
  if (form === null) return { sha256, bytes };
  // The check that every storefront will make.
  model.decode(form.tensors);
  return sealRelease({ ...manifest, servingForm: { of: sha256, precision: form.precision } }, form.tensors, key);
}
