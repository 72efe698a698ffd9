/**
 * What a plan has a participant sum: a model's statistic, from the parameters of an earlier release; or how well releases rank,
 * each with the model that its own manifest names. Releases are known by the digests in the plan.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { createReleaseScores, parseComparedReleases, type ScoredRelease, type ScoredReleases } from '../shared/evaluation/release-scores.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { OpenedRelease } from '../shared/federation/release.ts';
import { strategyTensorsOf } from '../shared/federation/strategies/state-tensors.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { NamedTensors } from '../shared/protocol/tensors.ts';
import type { AnyStatistic } from '../shared/recommender/federated-model.ts';
import type { ModelCache } from './model-cache.ts';

/** Where a round starts: parameters, and what comes with them in a release. */
export interface RoundBase {
  readonly params: unknown;
  /** The round of the release; null before the first, and where releases are compared. */
  readonly round: string | null;
  /** The release is an older one that was served again. */
  readonly isRestored: boolean;
  readonly strategy: NamedTensors;
}

export interface RoundSubject {
  readonly statistic: AnyStatistic;
  /**
   * What contributions are made with.
   * @throws CestaError `release.untrusted`, `release.not-found` or `network.unreachable`
   */
  base(): Promise<RoundBase>;
}

export interface SubjectSources {
  readonly modelCache: Pick<ModelCache, 'model'>;
  /** The release of this digest; whoever fetches it vouches for it. */
  readonly release: (sha256: string) => Promise<OpenedRelease>;
}

/** @throws CestaError `model.unknown`, `model.unusable`, `config.invalid` */
export async function roundSubject({ model: { kind, hyperParameters }, baseRelease }: Plan, catalogue: Catalogue, sources: SubjectSources): Promise<RoundSubject> {
  if (kind === 'evaluation') return { statistic: createReleaseScores(catalogue, hyperParameters), base: async () => withoutStrategy(await openCompared(hyperParameters, catalogue, sources)) };
  const model = await sources.modelCache.model({ kind, hyperParameters }, catalogue);
  return {
    statistic: model,
    async base() {
      if (baseRelease === null) return withoutStrategy(model.initial());
      const { manifest, tensors } = await sources.release(baseRelease);
      return { params: model.decode(tensors), round: manifest.round, isRestored: manifest.restores !== undefined, strategy: strategyTensorsOf(manifest, tensors) };
    },
  };
}

function withoutStrategy(params: unknown): RoundBase {
  return { params, round: null, isRestored: false, strategy: {} };
}

async function openCompared(hyperParameters: unknown, catalogue: Catalogue, sources: SubjectSources): Promise<ScoredReleases> {
  const { candidate, served, previous } = parseComparedReleases(hyperParameters);
  const open = async (sha256: string): Promise<ScoredRelease> => {
    const { manifest, tensors } = await sources.release(sha256);
    if (manifest.catalogueHash !== catalogue.hash) throw new CestaError('release.untrusted', `release ${sha256}: expected one over the catalogue ${catalogue.hash}, got ${manifest.catalogueHash}`);
    const model = await sources.modelCache.model(manifest.model, catalogue);
    return { model, params: model.decode(tensors) };
  };
  // One after the other: what a model makes of a catalogue takes seconds, and may serve the next one.
  return { candidate: await open(candidate), served: await open(served), previous: previous === null ? null : await open(previous) };
}
