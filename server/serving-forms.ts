/**
 * The files that storefronts rank with, kept beside their releases. They are durable before a release is served; where one
 * is missing or damaged, as after an upgrade or on another disk, it is made again from the release, with the same bytes.
 */
import { openRelease } from '../shared/federation/release.ts';
import { sealServingForm, type FullRelease, type ServingFile } from '../shared/federation/serving-form.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { precisions, type Precision } from '../shared/recommender/quantised-rows.ts';
import type { PublishedRelease, ReleasesOptions } from './release-files.ts';

type FormOptions = Pick<ReleasesOptions, 'storage' | 'blobs' | 'key'>;

/** @throws CestaError `storage.failed`, or what readers would object to in them */
export async function makeServingForms(options: FormOptions, model: AnyFederatedModel, release: FullRelease): Promise<void> {
  for (const precision of precisions) await makeForm(options, model, release, precision);
}

async function makeForm({ storage, blobs, key }: FormOptions, model: AnyFederatedModel, release: FullRelease, precision: Precision): Promise<ServingFile> {
  const file = sealServingForm(release, model, precision, key);
  if (file.sha256 !== release.sha256) await blobs.write(file.bytes);
  await storage.putServingForm(release.sha256, precision, file.sha256);
  return file;
}

/** @throws CestaError `storage.failed`, `release.untrusted` for a release that is damaged itself */
export async function findServingForm(options: FormOptions & Pick<ReleasesOptions, 'modelOf' | 'logger'>, release: PublishedRelease, precision: Precision): Promise<ServingFile> {
  const { storage, blobs, key, modelOf, logger } = options;
  const sha256 = await storage.servingForm(release.sha256, precision);
  if (sha256 === release.sha256) return release;
  try {
    if (sha256 !== null) return { sha256, bytes: await blobs.read(sha256) };
  } catch (error) {
    logger.warn({ err: error, version: release.manifest.version, precision }, 'the serving form of a release is damaged, and made again');
  }
  const { tensors } = await openRelease(release.bytes, key.publicKey);
  return makeForm(options, modelOf(release.manifest.model), { ...release, tensors }, precision);
}
