/**
 * From a decoded sum to a release that everybody may fetch: update -> finite check -> encode -> sign -> blob and row
 * -> current. A release is visible only when all of it is durable, and the last one stays until then. What changes
 * which release is served happens one at a time, so that versions and the public record keep their order.
 */
import { setImmediate } from 'node:timers/promises';
import { askCanary, type CanaryOptions, type CanaryVerdict } from '../shared/evaluation/exposure-canary.ts';
import { sealRelease, type Manifest, type SealedRelease } from '../shared/federation/release.ts';
import { describePrivacy } from '../shared/federation/budget-report.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import { foldSum, type FoldBase } from '../shared/federation/strategies/fold.ts';
import { hashName } from '../shared/numerics/random.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { NamedTensors } from '../shared/protocol/tensors.ts';
import type { DecodedSum, RobustFigures } from '../shared/federation/accumulator.ts';
import type { ServingFile } from '../shared/federation/serving-form.ts';
import type { StalenessFigures } from '../shared/federation/staleness.ts';
import type { PrivacyEvent } from '../shared/privacy/accounting/events.ts';
import type { Aggregate, AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import type { GroupKeys } from '../shared/ledger/log-entries.ts';
import type { Precision } from '../shared/recommender/quantised-rows.ts';
import type { BackendCounts } from '../shared/tensors/backend-kinds.ts';
import { startTimer } from './meter.ts';
import { newestServed, nextVersion, openStored, readRelease, servedVersion, type LoadedRelease, type PublishedRelease, type ReleasesOptions } from './release-files.ts';
import { describeRelease, promote, reject, rollback, type ReleaseDesk, type ReleaseStatus } from './release-states.ts';
import { findServingForm, makeServingForms } from './serving-forms.ts';
import type { LogAppend, ReleaseRecord, Serving } from './storage/storage.ts';

export type { LoadedRelease, PublishedRelease, ReleasesOptions, ReleaseStatus };

export interface Sum {
  readonly plan: Plan;
  readonly aggregate: DecodedSum;
  /** Reports in the sum. */
  readonly participants: number;
  /** Of a buffered task: how old the reports were. */
  readonly staleness?: StalenessFigures;
  /** Everything that the task's budget is charged with, this round included. */
  readonly charged: readonly PrivacyEvent[];
  /** Long-term keys of the members whose reports to this plan are in the sum. */
  readonly survivors: readonly string[];
  /** The same by group, where members were drawn into groups. */
  readonly groups?: readonly GroupKeys[] | null;
  /** Reports to this plan by the backend they were computed on; absent where none needed one. */
  readonly trainedOn?: BackendCounts | undefined;
}

export interface PublishOptions {
  /**
   * Puts the release into the public record, and what `write` adds into the journal, in one commit, when its file is
   * durable. It must not wait for another change of releases: those wait for this one.
   */
  readonly record?: (release: PublishedRelease, write: (log?: LogAppend) => Promise<void>, isHeld: boolean) => Promise<void>;
  /** Makes a candidate: durable, to be fetched by number and digest, but not served. */
  readonly hold?: boolean;
  /** Asked before the release is served: what it holds back is a candidate. Nothing is asked before the first release. */
  readonly canary?: Pick<CanaryOptions, 'spec' | 'catalogue'>;
}

/**
 * Every change rejects, and serves nothing new, when the journal, the files or the public record fail. What the journal
 * has taken by then is recorded and served before the next change, or at the next start.
 */
export interface Releases {
  /** What is served. Further rounds start from it. */
  readonly current: LoadedRelease | null;
  /** Takes up the newest release in force that is undamaged; writes nothing. */
  load(): Promise<void>;
  /** Takes up what the journal has in force, should an earlier change have got no further than that. */
  settle(): Promise<void>;
  /**
   * Makes, stores and serves the release of a round.
   * @throws CestaError whatever the update, the checks or the storage object to; the last release stays.
   */
  publish(model: AnyFederatedModel, sum: Sum, options?: PublishOptions): Promise<PublishedRelease>;
  /** Releases below the version `before`, newest first. */
  list(page: { readonly before: number; readonly limit: number }): Promise<readonly ReleaseStatus[]>;
  /**
   * Serves a candidate, a rejected release or one that was served before. Under its own version, if that was never
   * served and is above every version that was; else its parameters are served as a new version that `restores` it, and
   * its own state stays.
   * @throws CestaError `release.not-found`; `release.state` when its parameters are what is served; `storage.failed`,
   * `release.untrusted` when its file is damaged
   */
  promote(version: number, reason: Serving['reason']): Promise<PublishedRelease>;
  /** Decides against a candidate. @throws CestaError `release.not-found`; `release.state` for anything but a candidate */
  reject(version: number): Promise<void>;
  /**
   * Serves again, as a new version, what was served when the release in force was published or promoted: it undoes that
   * one step, and another rollback the step before. So after 1, 2, 3 the first rollback serves 2 (as 4), the next one 1
   * (as 5); what is published or promoted in between is undone first, and what was rolled back from never returns by
   * itself.
   * @throws CestaError `release.not-found` when nothing is served; `release.state` when nothing was served before;
   * `storage.failed`, `release.untrusted` when the file of that one is damaged: another may be promoted
   */
  rollback(reason: Serving['reason']): Promise<PublishedRelease>;
  /** A release by number or digest, in whatever state, or null. */
  find(address: { readonly version: number } | { readonly sha256: string }): Promise<PublishedRelease | null>;
  /**
   * What storefronts rank with in place of a release of `current` or `find`: the release itself where nothing of it changes.
   * @throws CestaError `storage.failed`, `release.untrusted`
   */
  form(release: PublishedRelease, precision: Precision): Promise<ServingFile>;
}

interface State {
  readonly options: ReleasesOptions;
  current: LoadedRelease | null;
  /** The version that the journal had in force when `current` was taken up: it may be damaged. */
  settledVersion: number;
}

export function createReleases(options: ReleasesOptions): Releases {
  const { task, storage } = options;
  const state: State = { options, current: null, settledVersion: 0 };
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const settled = <T>(change: (desk: ReleaseDesk) => Promise<T>): Promise<T> => inTurn(async () => {
    await settle(state);
    return change({ options, current: state.current, serve: (release) => serve(state, release) });
  });
  return {
    get current() {
      return state.current;
    },
    load: () => inTurn(() => takeUp(state)),
    settle: () => inTurn(() => settle(state)),
    publish: (model, sum, how = {}) => settled((desk) => publish(desk, model, sum, how)),
    list: async (page) => (await storage.releases(task, page)).map((record) => describeRelease(record, state.current)),
    promote: (version, reason) => settled((desk) => promote(desk, version, reason)),
    reject: (version) => settled((desk) => reject(desk, version)),
    rollback: (reason) => settled((desk) => rollback(desk, reason)),
    async find(address) {
      const { current } = state;
      if (current !== null && ('version' in address ? address.version === current.manifest.version : address.sha256 === current.sha256)) return current;
      const record = await storage.release(task, address);
      return record === null ? null : readRelease(options, record);
    },
    form: rememberForms(options),
  };
}

/** Those of the release in force stay in memory: it is the object that `current` is, until another one is. */
function rememberForms(options: ReleasesOptions): Releases['form'] {
  const known = new WeakMap<PublishedRelease, Map<Precision, Promise<ServingFile>>>();
  return (release, precision) => {
    const forms = known.get(release) ?? new Map<Precision, Promise<ServingFile>>();
    known.set(release, forms);
    const form = forms.get(precision) ?? findServingForm(options, release, precision);
    forms.set(precision, form);
    // A failure is not remembered: the disk may be back.
    form.catch(() => forms.delete(precision));
    return form;
  };
}

function serve(state: State, release: LoadedRelease): LoadedRelease {
  state.current = release;
  state.settledVersion = release.manifest.version;
  return release;
}

/** A change that failed between journal and serving is gone through with: the journal has it, and the record will. */
async function settle(state: State): Promise<void> {
  await state.options.ledger.catchUp();
  if ((await servedVersion(state.options)) > state.settledVersion) await takeUp(state);
}

async function takeUp(state: State): Promise<void> {
  const version = await servedVersion(state.options);
  state.current = await newestServed(state.options);
  state.settledVersion = version;
}

async function publish(desk: ReleaseDesk, model: AnyFederatedModel, sum: Sum, { record = (_release, write) => write(), hold = false, canary }: PublishOptions): Promise<PublishedRelease> {
  const { options, current } = desk;
  const { task, storage, blobs, key, clock } = options;
  const base = await baseOf(options, model, sum.plan, current);
  const updated = startTimer(options, 'update');
  const { params, strategy } = foldSum(model, base, sum);
  updated();
  const tensors = checkedTensors(model, params);
  requireFinite(strategy);
  const manifest = {
    ...describeRound(task, model, sum),
    version: await nextVersion(options),
    createdAt: clock.date().toISOString(),
    metrics: { ...describeTensors(tensors, sum.aggregate), ...sum.staleness },
  };
  const sealed = { ...tensors, ...strategy };
  const release = sealRelease(manifest, sealed, key);
  const verdict = canary === undefined || current === null ? null : await consult(options, canary, current, { model, params, release });
  const isHeld = hold || verdict !== null;
  const state: Pick<ReleaseRecord, 'state' | 'previous'> = isHeld ? { state: 'candidate', previous: null } : { state: 'served', previous: current?.manifest.version ?? null };
  const published = startTimer(options, 'publish');
  await blobs.write(release.bytes);
  await makeServingForms(options, model, { ...release, tensors: sealed });
  await record(release, (log) => storage.publish({ task, version: release.manifest.version, sha256: release.sha256, round: sum.plan.round, manifest: release.manifest, serving: null, canary: verdict, ...state }, sum.participants, log), isHeld);
  published();
  return isHeld ? release : desk.serve({ ...release, params, strategy });
}

interface Candidate {
  readonly model: AnyFederatedModel;
  readonly params: unknown;
  readonly release: SealedRelease;
}

/** The probes follow from the release's digest: nobody could know them while reports were made. */
async function consult(options: ReleasesOptions, { spec, catalogue }: NonNullable<PublishOptions['canary']>, current: LoadedRelease, { model, params, release }: Candidate): Promise<CanaryVerdict | null> {
  const { task, modelOf, logger, meter } = options;
  const asked = startTimer(options, 'canary');
  const served = { model: modelOf(current.manifest.model), params: current.params };
  const verdict = await askCanary(served, { model, params }, { spec, catalogue, seed: hashName(0, release.sha256), pause: setImmediate });
  asked();
  meter?.canary(verdict === null ? 'passed' : 'held');
  if (verdict !== null) logger.warn({ task, version: release.manifest.version, served: current.manifest.version, ...verdict }, 'release held back by the canary: an operator may promote or reject it');
  return verdict;
}

/** The release that the plan names: what is served may have changed while the round was open. */
async function baseOf(options: ReleasesOptions, model: AnyFederatedModel, { baseRelease }: Plan, current: LoadedRelease | null): Promise<FoldBase> {
  if (baseRelease === null) return { params: model.initial(), strategy: null };
  if (current?.sha256 === baseRelease) return current;
  const record = await options.storage.release(options.task, { sha256: baseRelease });
  if (record === null) throw new CestaError('internal', `base release: expected ${baseRelease}, got ${current?.sha256 ?? 'none'}`);
  return (await openStored(options, record)).release;
}

/** The encoded parameters, after the checks that every reader of the release will make. */
function checkedTensors(model: AnyFederatedModel, params: unknown): NamedTensors {
  const tensors = model.encode(params);
  requireFinite(tensors);
  model.decode(tensors);
  return tensors;
}

function requireFinite(tensors: NamedTensors): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    for (let i = 0; i < data.length; i += 1) {
      if (!Number.isFinite(data[i])) throw new CestaError('round.failed', `update: expected finite parameters, got ${data[i]} at ${name}[${i}]`);
    }
  }
}

function describeRound(task: string, { kind, hyperParameters }: AnyFederatedModel, { plan, aggregate, participants, charged, trainedOn }: Sum): Omit<Manifest, 'protocol' | 'tensorsSha256' | 'version' | 'createdAt' | 'metrics'> {
  return {
    task,
    round: plan.round,
    model: { kind, hyperParameters },
    catalogueHash: plan.catalogueHash,
    planHash: planHash(plan),
    cohort: participants,
    shoppers: aggregate.shoppers,
    ...(aggregate.robust === undefined ? {} : { robust: robustOf(aggregate.robust) }),
    privacy: describePrivacy(plan, charged, aggregate),
    nextClipNorm: aggregate.nextClipNorm,
    parent: plan.baseRelease,
    ...(trainedOn === undefined ? {} : { trainedOn }),
  };
}

/** Whose report a rule left out stays with the operator: unlike others is not the same as spoilt. */
function robustOf({ rule, byzantine, reports }: RobustFigures): Manifest['robust'] {
  return { rule, byzantine, reports };
}

/** Figures of the release itself and of its public noise. */
function describeTensors(tensors: NamedTensors, aggregate: Aggregate): Record<string, number> {
  const all = Object.values(tensors);
  return {
    parameters: all.reduce((sum, { data }) => sum + data.length, 0),
    parameterBytes: all.reduce((sum, { data }) => sum + data.byteLength, 0),
    statisticLength: aggregate.sum.length,
    noiseStd: aggregate.noiseStd,
  };
}
