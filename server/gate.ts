/**
 * The gate before a release is served: shops score a candidate against what is served, in a round of its own, and the
 * noised sums decide (`shared/evaluation/gate-rule.ts`). A candidate has been trained on the very baskets it is scored
 * on, which flatters it against what is served: the gate finds releases that are broken, not small differences.
 * The journal comes first: whatever was decided is gone through with, also by the next process.
 */
import type { Logger } from 'pino';
import { decideGate, type GateVerdict } from '../shared/evaluation/gate-rule.ts';
import { readReleaseScores, type ComparedReleases } from '../shared/evaluation/release-scores.ts';
import type { TaskSpec } from '../shared/federation/task.ts';
import { toCestaError } from '../shared/protocol/errors.ts';
import type { Releases, Sum } from './releases.ts';
import type { Conclusion } from './round-effects.ts';
import type { EvaluationRecord, Storage } from './storage/storage.ts';

/** Rounds that a candidate is given to be scored in. */
const mostAttempts = 3;
/** Ranks that count in a score. */
const ranks = 10;

interface ReleaseRef {
  readonly version: number;
  readonly sha256: string;
}

/** What a gate looks at. */
export interface GateGround {
  /** The newest release that nobody has decided on; null where a canary holds it. */
  readonly candidate: ReleaseRef | null;
  readonly served: ReleaseRef | null;
  /** Every evaluation of the task, oldest first. */
  readonly evaluations: readonly EvaluationRecord[];
  /** Evaluations that the budget has a share for; Infinity where nothing is promised. */
  readonly mostCharged: number;
}

/**
 * `evaluate`: open a round that scores the candidate. `stuck`: it could not be scored, and stays a candidate until an
 * operator decides. The others carry out what an evaluation decided.
 */
export type GateStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'evaluate'; readonly candidate: ReleaseRef }
  | { readonly kind: 'stuck'; readonly candidate: ReleaseRef }
  | GateChange;

interface GateChange {
  readonly kind: 'promote' | 'reject' | 'rollback';
  readonly candidate: ReleaseRef;
}

/** What comes next. A rollback comes before the rejection that ends it, so that a crash in between leaves neither out. */
export function nextGateStep({ candidate, served, evaluations, mostCharged }: GateGround): GateStep {
  if (candidate === null || served === null) return { kind: 'none' };
  const attempts = evaluations.filter((evaluation) => evaluation.candidate === candidate.sha256);
  const decided = attempts.findLast(({ verdict }) => verdict !== null);
  // What has been put in the place of the release it was compared with, nobody has compared it with.
  const isCurrent = decided?.served === served.sha256;
  const decision = decided?.verdict?.decision ?? null;
  if (decision === 'rollback' && isCurrent) return { kind: 'rollback', candidate };
  if (decision === 'rollback' || decision === 'refuse') return { kind: 'reject', candidate };
  if (candidate.version < served.version) return { kind: 'none' };
  if (isCurrent) return { kind: 'promote', candidate };
  const charged = evaluations.filter(({ spend }) => spend !== 'abandoned').length;
  return { kind: attempts.length < mostAttempts && charged < mostCharged ? 'evaluate' : 'stuck', candidate };
}

/** A round to be opened. */
export interface Evaluation {
  readonly compared: ComparedReleases;
  /** Decides by the sum, and carries that out. */
  conclude(sum: Sum): Promise<Conclusion>;
}

export interface Gate {
  /**
   * Carries out what was decided and not yet done, and says what is to be scored now; null where nothing is.
   * @throws CestaError what changing releases throws
   */
  next(): Promise<Evaluation | null>;
}

export interface GateOptions {
  readonly task: TaskSpec;
  /** Rounds of training that the task really takes: as many evaluations have a share of the budget. */
  readonly rounds: () => number;
  readonly storage: Storage;
  readonly releases: Pick<Releases, 'current' | 'promote' | 'reject' | 'rollback'>;
  readonly logger: Logger;
}

export function createGate(options: GateOptions): Gate {
  const { task, logger } = options;
  /** Candidates that were reported as stuck: once is enough. */
  const reported = new Set<string>();
  return {
    async next() {
      if (task.gate === undefined) return null;
      const step = await settle(options);
      if (step.kind === 'stuck' && !reported.has(step.candidate.sha256)) {
        reported.add(step.candidate.sha256);
        logger.error({ task: task.name, version: step.candidate.version }, 'a candidate could not be evaluated and is not served; an operator may promote it');
      }
      return step.kind === 'evaluate' ? evaluationOf(options, step.candidate) : null;
    },
  };
}

/** Carries out decisions until none is left. Each ends the step it was for, so that this ends. */
async function settle(options: GateOptions): Promise<GateStep> {
  for (;;) {
    const step = nextGateStep(await groundOf(options));
    if (step.kind === 'none' || step.kind === 'evaluate' || step.kind === 'stuck') return step;
    try {
      await carryOut(options, step);
    } catch (error) {
      if (toCestaError(error).code === 'storage.failed') throw error;
      // An operator was faster, or a file is damaged: what that leaves to do is for the next look, and the task goes on.
      options.logger.error({ err: error, task: options.task.name, version: step.candidate.version }, `the gate could not ${step.kind}`);
      return { kind: 'none' };
    }
  }
}

async function carryOut({ releases }: GateOptions, { kind, candidate }: GateChange): Promise<void> {
  switch (kind) {
    case 'promote':
      return void (await releases.promote(candidate.version, 'gate'));
    case 'reject':
      return releases.reject(candidate.version);
    case 'rollback':
      return void (await releases.rollback('gate'));
    default:
      return kind satisfies never;
  }
}

async function groundOf({ task, rounds, storage, releases: { current } }: GateOptions): Promise<GateGround> {
  const [candidate] = await storage.releases(task.name, { before: Number.MAX_SAFE_INTEGER, limit: 1, state: 'candidate' });
  return {
    // What a canary held back is for an operator: shops cannot tell a push from a change for the better.
    candidate: candidate === undefined || candidate.canary !== null ? null : candidate,
    served: current === null ? null : { version: current.manifest.version, sha256: current.sha256 },
    evaluations: candidate === undefined ? [] : await storage.evaluations(task.name),
    mostCharged: task.privacy.mode === 'none' ? Infinity : rounds(),
  };
}

async function evaluationOf(options: GateOptions, candidate: ReleaseRef): Promise<Evaluation | null> {
  const { task, storage, releases, logger } = options;
  const { current } = releases;
  if (task.gate === undefined || current === null) return null;
  const { tolerance } = task.gate;
  const compared: ComparedReleases = { k: ranks, candidate: candidate.sha256, served: current.sha256, previous: await digestBefore(options, current.manifest.version) };
  return {
    compared,
    async conclude({ plan, aggregate, participants }) {
      const scores = readReleaseScores(aggregate);
      const verdict: GateVerdict = { ...scores, tolerance, decision: decideGate(scores, tolerance) };
      await storage.concludeEvaluation(plan.round, participants, verdict);
      logger[verdict.decision === 'promote' ? 'info' : 'warn']({ task: task.name, round: plan.round, version: candidate.version, ...verdict }, 'candidate evaluated');
      await settle(options);
      return candidate;
    },
  };
}

/** What a rollback would lead to. */
async function digestBefore({ task, storage }: GateOptions, version: number): Promise<string | null> {
  const previous = (await storage.release(task.name, { version }))?.previous ?? null;
  return previous === null ? null : ((await storage.release(task.name, { version: previous }))?.sha256 ?? null);
}
