/** The federation task that a scenario is: the one that an operator would submit for it, parsed and planned by the product's own code. */
import { strategySchema } from '../../shared/federation/strategies/strategy.ts';
import { fewestGroups, groupRules, mostGroups, robustRules, type RobustRule, type RobustSpec } from '../../shared/federation/robust/rule.ts';
import { parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import type { StageModel } from '../../shared/federation/stages.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fewestParticipants } from '../../shared/secagg/terms.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';

/** What a task needs to know of a population. */
export interface CohortShape {
  /** Participants wanted in a round. */
  readonly target: number;
  /** Shoppers of a participant at most, invented ones included, and on the average. */
  readonly maxShoppers: number;
  readonly meanShoppers: number;
}

/** @throws CestaError `plan.invalid` or `config.invalid` naming what the product would refuse */
export function taskOf(scenario: Scenario, model: StageModel, { target, maxShoppers, meanShoppers }: CohortShape): TaskSpec {
  const { clients, unit, weightedUpTo } = scenario;
  const minParticipants = Math.ceil(clients.quorum * target);
  const deadlineMs = Math.ceil(clients.deadlineSeconds * 1000);
  return parseTaskSpec({
    name: 'simulation',
    model,
    privacy: privacyOf(scenario, { target, minParticipants, expectedShoppers: Math.round(target * meanShoppers) }),
    ...aggregationOf(scenario, minParticipants),
    cohort: { minParticipants, targetParticipants: target, overSelection: clients.overSelection },
    deadlines: { recruitingMs: deadlineMs, trainingMs: deadlineMs },
    maxShoppersPerShop: maxShoppers,
    ...(unit === 'shop' ? { unit } : {}),
    ...(weightedUpTo === undefined ? {} : { weightedUpTo }),
  });
}

/** What a robust rule is made to withstand where a scenario only names it: as many as attack, or one. */
function robustOf({ clients: { malicious }, privacy }: Scenario, rule: RobustRule, minParticipants: number): RobustSpec {
  const byzantine = malicious.kind === 'participants' ? malicious.count : 1;
  const isMasked = privacy.epsilon !== null && privacy.mode === 'distributed';
  if (!isMasked) return { rule, byzantine };
  if (!(groupRules as readonly string[]).includes(rule)) throw new CestaError('config.invalid', `aggregate: expected ${groupRules.join(' or ')} in mode distributed, where rules see sums of groups, got ${rule}`);
  const groups = Math.min(mostGroups, Math.floor(minParticipants / fewestParticipants));
  if (groups < fewestGroups) throw new CestaError('config.invalid', `aggregate: expected a quorum of at least ${fewestGroups * fewestParticipants} participants (clients.quorum of clients.perRound) for ${fewestGroups} masked groups of ${fewestParticipants}, which ${rule} compares, got ${minParticipants}`);
  return { rule, byzantine, groups };
}

function aggregationOf(scenario: Scenario, minParticipants: number): object {
  const { aggregate } = scenario;
  if (aggregate === 'mean') return {};
  if (typeof aggregate === 'object') return aggregate;
  const rule = robustRules.find((known) => known === aggregate);
  if (rule !== undefined) return { robust: robustOf(scenario, rule, minParticipants) };
  const strategy = strategySchema.safeParse({ kind: aggregate });
  if (!strategy.success) throw new CestaError('config.invalid', `aggregate: expected { strategy } with the settings of ${aggregate} that have no default, ${strategy.error.issues.map(({ path }) => path.join('.')).join(', ')}, got its name alone`, { cause: strategy.error });
  return { strategy: strategy.data };
}

interface Expected {
  readonly target: number;
  readonly minParticipants: number;
  readonly expectedShoppers: number;
}

function privacyOf(scenario: Scenario, expected: Expected): object {
  const { privacy: { epsilon, delta, clip, mode, sampling, encoding, adaptiveClip, noiseCohort = expected.target }, rounds, unit } = scenario;
  if (epsilon === null) {
    const stray = Object.entries({ clip, encoding: encoding === 'rotated' ? encoding : undefined, adaptiveClip: adaptiveClip || undefined, sampling: sampling < 1 ? sampling : undefined }).find(([, value]) => value !== undefined);
    if (stray !== undefined) throw new CestaError('privacy.invalid', `privacy.${stray[0]}: expected none without noise, got ${String(stray[1])}, which nothing would enforce`);
    return { mode: 'none', rounds };
  }
  return {
    // Central noise is what one shop that holds all orders would add by itself.
    mode: mode === 'distributed' ? mode : 'local',
    epsilon,
    delta,
    rounds,
    encoding: encoding ?? (unit === 'shop' ? 'rotated' : 'sparse'),
    ...(clip === undefined ? {} : { clipNorm: clip }),
    ...(sampling === 1 ? {} : { sampling: { rate: sampling, drawnBy: 'shop' } }),
    // Of the federation that the promise is of: the noise on the bits of those who stand for it is scaled down as all noise is.
    ...(adaptiveClip ? { adaptiveClip: { expectedShoppers: Math.round((expected.expectedShoppers * noiseCohort) / expected.target) } } : {}),
    ...(mode === 'distributed' ? toleratedOf(scenario, expected) : {}),
  };
}

/** A task for participants that are known to drop out plans for it: for as many as hardly ever do at once, as far as its quorum goes. */
function toleratedOf({ clients: { dropout, stragglers, overSelection }, aggregate }: Scenario, { target, minParticipants }: Expected): object {
  const rate = Math.min(0.99, dropout + stragglers);
  // Groups have quorums of their own: there the product's own choice stands.
  if (rate === 0 || aggregate !== 'mean') return {};
  const roster = Math.ceil(target * overSelection);
  const wanted = Math.ceil(roster * rate + 4 * Math.sqrt(roster * rate * (1 - rate)));
  const colluding = Math.max(1, Math.floor(minParticipants / 10));
  return { tolerated: Math.max(0, Math.min(wanted, minParticipants - colluding - 1)) };
}
