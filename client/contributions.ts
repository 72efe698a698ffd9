/** The clipped sum that a plan asks of a participant, of whichever unit, with the control variate that a strategy wants kept. */
import { controlIn } from '../shared/federation/strategies/state-tensors.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { sumShoppers, trainShop, type ShopChange, type ShopWork } from './local-statistic.ts';
import type { RoundBase } from './round-subject.ts';

/** What a participant's control variate was, and what it will be should the open round end in a release. */
export interface ProposedControls {
  readonly own: Float32Array;
  readonly next: Float32Array;
}

/** SCAFFOLD's control variates of a participant, one a task. */
export interface ControlStore {
  /**
   * The control variate to train with in a round of `task` that starts from the release of the round `baseRound`; null
   * before the first release. Zero where there is none of this length.
   * @throws CestaError `storage.failed`
   */
  read(task: string, length: number, baseRound: string | null): Float32Array;
  /** Durable when it returns: `next` waits for the end of `round`. @throws CestaError `storage.failed` */
  propose(task: string, round: string, controls: ProposedControls): void;
  /** The round ended in a release whose sum has this participant's report. @throws CestaError `storage.failed` */
  commit(task: string, round: string): void;
}

export interface Contributions extends Omit<ShopChange, 'own'> {
  /** Null but for SCAFFOLD. */
  readonly controls: ProposedControls | null;
}

/** @param store null where a participant keeps no control variates: plans that need them are to be declined before */
export async function contributionsOf(work: ShopWork, { base, store, signal }: { readonly base: RoundBase; readonly store: ControlStore | null; readonly signal: AbortSignal }): Promise<Contributions> {
  const { plan, model } = work;
  if (plan.unit !== 'shop') return { ...(await sumShoppers(work, signal)), controls: null };
  if (plan.strategy?.kind !== 'scaffold') return { ...(await trainShop({ ...work, controls: null }, signal)), controls: null };
  if (store === null) throw new CestaError('internal', 'controls: expected a store for a plan with scaffold, got none');
  const length = model.statisticLength();
  const own = base.isRestored ? new Float32Array(length) : store.read(plan.task, length, base.round);
  const control = plan.baseRelease === null ? new Float32Array(length) : controlIn(base.strategy, length);
  const { own: next, ...change } = await trainShop({ ...work, controls: { control, own } }, signal);
  return { ...change, controls: next === null ? null : { own, next } };
}
