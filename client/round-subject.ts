/**
 * What a plan has a participant sum: a model's statistic, from the parameters of an earlier release; or how well releases rank,
 * each with the model that its own manifest names. Releases are known by the digests in the plan.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { createReleaseScores, parseComparedReleases, type ScoredRelease, type ScoredReleases } from '../shared/evaluation/release-scores.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { OpenedRelease } from '../shared/federation/release.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { ModelCache } from './model-cache.ts';

export interface RoundSubject {
  readonly statistic: AnyStatistic;
  /**
   * The parameters that contributions are made with.
   * @throws CestaError `release.untrusted`, `release.not-found` or `network.unreachable`
   */
  params(): Promise<unknown>;
}

export interface SubjectSources {
  readonly modelCache: Pick<ModelCache, 'model'>;
  /** The release of this digest; whoever fetches it vouches for it. */
  readonly release: (sha256: string) => Promise<OpenedRelease>;
}

/** @throws CestaError `model.unknown`, `model.unusable`, `config.invalid` */
export function roundSubject({ model: { kind, hyperParameters }, baseRelease }: Plan, catalogue: Catalogue, sources: SubjectSources): RoundSubject {
  if (kind === 'evaluation') return { statistic: createReleaseScores(catalogue, hyperParameters), params: () => openCompared(hyperParameters, catalogue, sources) };
  const model = sources.modelCache.model({ kind, hyperParameters }, catalogue);
  return { statistic: model, params: async () => (baseRelease === null ? model.initial() : model.decode((await sources.release(baseRelease)).tensors)) };
}

async function openCompared(hyperParameters: unknown, catalogue: Catalogue, sources: SubjectSources): Promise<ScoredReleases> {
  const { candidate, served, previous } = parseComparedReleases(hyperParameters);
  const open = async (sha256: string): Promise<ScoredRelease> => {
    const { manifest, tensors } = await sources.release(sha256);
    if (manifest.catalogueHash !== catalogue.hash) throw new CestaError('release.untrusted', `release ${sha256}: expected one over the catalogue ${catalogue.hash}, got ${manifest.catalogueHash}`);
    const model = sources.modelCache.model(manifest.model, catalogue);
    return { model, params: model.decode(tensors) };
  };
  // One after the other: what a model makes of a catalogue takes seconds, and may serve the next one.
  return { candidate: await open(candidate), served: await open(served), previous: previous === null ? null : await open(previous) };
}
