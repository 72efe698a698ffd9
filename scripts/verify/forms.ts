/** Whether the files that storefronts rank with are what the release in the record makes of them: anybody can compute them. */
import { addressBelow, getDocument, type Fetch } from '../../client/http.ts';
import { fetchCatalogue } from '../../client/coordinator-api.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { servingForm, type FullRelease } from '../../shared/federation/serving-form.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { tensorsDigest } from '../../shared/protocol/tensors.ts';
import { precisions, type Precision } from '../../shared/recommender/quantised-rows.ts';
import { createModel } from '../../shared/recommender/registry.ts';

export interface ServedPlace {
  readonly fetch: Fetch;
  readonly coordinator: URL;
  /** Below which the task serves its model. */
  readonly task: URL;
  /** Signs releases. */
  readonly publicKey: string;
}

/** What differs, a sentence each. @throws CestaError `release.untrusted` for a file that is not signed, or no release */
export async function compareForms(place: ServedPlace, release: FullRelease): Promise<string[]> {
  const differences = await Promise.all(precisions.map((precision) => compareForm(place, release, precision)));
  return differences.filter((difference) => difference !== null);
}

async function compareForm({ fetch, coordinator, task, publicKey }: ServedPlace, { manifest, sha256, tensors }: FullRelease, precision: Precision): Promise<string | null> {
  const path = `model/${sha256}?precision=${precision}`;
  const document = await getDocument(fetch, addressBelow(task, path));
  const bytes = document?.bytes ?? new Uint8Array(0);
  // The release itself misleads nobody, whether or not there is less to send.
  if (sha256Hex(bytes) === sha256) return null;
  const { manifest: served } = await openRelease(bytes, publicKey);
  const model = createModel(manifest.model.kind, await fetchCatalogue(fetch, coordinator, manifest.catalogueHash), manifest.model.hyperParameters);
  const form = servingForm(tensors, model, precision);
  if (form === null) return `${path}: expected the release itself, which has nothing to leave out or to round, got another file`;
  const expected = { ...manifest, tensorsSha256: tensorsDigest(form.tensors), servingForm: { of: sha256, precision: form.precision } };
  if (canonicalJson(served) === canonicalJson(expected)) return null;
  return `${path}: expected the form that the release makes, with tensors ${expected.tensorsSha256}, got one of ${served.servingForm?.of ?? 'none'} with tensors ${served.tensorsSha256}, or another manifest`;
}
