/** What a scenario cannot ask for at once: what came out would not be what it says, or every round would fail. */
import { requireRosterFits } from '../../shared/federation/masked-terms.ts';
import { robustRules } from '../../shared/federation/robust/rule.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Scenario } from '../../shared/simulation/scenario.ts';

/** How many participants. */
export interface Sizes {
  /** There are. */
  readonly participants: number;
  /** Wanted in a round. */
  readonly target: number;
  /** Of one masked sum; 0 where nothing is masked. */
  readonly mostMasked: number;
}

/** @throws CestaError `config.invalid`, `privacy.invalid` or `privacy.infeasible`, naming the field */
export function requireConsistent(scenario: Scenario, sizes: Sizes): void {
  const { population, clients: { malicious, deadlineSeconds }, privacy: { epsilon, mode }, schedule } = scenario;
  if (population.shoppers === null && population.sizes !== 'equal') throw new CestaError('config.invalid', `population.sizes: expected none without virtual shoppers, since real ones are dealt by the partition, got ${population.sizes}`);
  if (malicious.kind === 'participants' && malicious.count > sizes.participants) throw new CestaError('config.invalid', `clients.malicious.count: expected at most ${sizes.participants}, all that there are, got ${malicious.count}`);
  if (schedule.kind === 'at-once' && scenario.rounds > 1 && schedule.everySeconds < 2 * deadlineSeconds) throw new CestaError('config.invalid', `schedule.everySeconds: expected at least ${2 * deadlineSeconds}, which a round may take to recruit and to train, got ${schedule.everySeconds}`);
  if (epsilon !== null && mode === 'central' && isRobust(scenario)) throw new CestaError('config.invalid', 'aggregate: expected no robust rule in mode central, whose noise is enough for a sum and not for what a rule takes of single reports; in mode local every report has noise enough, got one');
  requireNoiseCohort(scenario, sizes);
  if (scenario.fidelity === 'messages') requireMessages(scenario, sizes);
}

function isRobust({ aggregate }: Scenario): boolean {
  return typeof aggregate === 'object' ? 'robust' in aggregate : robustRules.some((rule) => rule === aggregate);
}

/** Noise is scaled down, never up: what is estimated is a larger federation than the one that is simulated. */
function requireNoiseCohort(scenario: Scenario, { target }: Sizes): void {
  const { noiseCohort, epsilon, mode } = scenario.privacy;
  if (noiseCohort === undefined) return;
  if (epsilon === null) throw new CestaError('privacy.invalid', 'privacy.noiseCohort: expected none without noise, got one');
  if (noiseCohort < target) throw new CestaError('privacy.invalid', `privacy.noiseCohort: expected at least the ${target} participants of a round, got ${noiseCohort}`);
  if (mode === 'local' && isRobust(scenario)) throw new CestaError('privacy.invalid', 'privacy.noiseCohort: expected none with a robust rule in mode local, which sees the noise of every single report however many there are, got one');
}

function requireMessages({ privacy: { epsilon, mode, noiseCohort } }: Scenario, { participants, mostMasked }: Sizes): void {
  if (epsilon !== null && mode === 'central') throw new CestaError('config.invalid', 'fidelity: expected sums in mode central, whose noise no participant adds, got messages');
  if (noiseCohort !== undefined) throw new CestaError('config.invalid', 'fidelity: expected sums with privacy.noiseCohort, since participants refuse a plan with less noise than it promises, got messages');
  if (mostMasked > 0) requireRosterFits(Array.from({ length: mostMasked }, () => `s${participants}`));
}
