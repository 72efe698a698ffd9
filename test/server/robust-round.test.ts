import { describe, expect, it } from 'vitest';
import type { RobustRule } from '../../shared/federation/robust/rule.ts';
import { trainingRig, type RoundRig } from './support/round-rig.ts';

const shops = ['a', 'b', 'c', 'd', 'e', 'f', 'liar'];

/** Honest shops say the same of ten shoppers; one says as much as the bounds allow of a hundred. */
async function attacked(rule: RobustRule | undefined): Promise<RoundRig> {
  const rig = await trainingRig(shops, { min: 7, target: 7, ...(rule === undefined ? {} : { robust: { rule, byzantine: 1 } }) });
  const { gridScale } = rig.plan.bounds;
  for (const shop of shops) {
    rig.report(shop, (shop === 'liar' ? Int32Array.of(0, 0, 0, 100, 1) : Int32Array.of(5, 3, 2, 0, 10)).map((units) => units * gridScale));
    await rig.settle();
  }
  await rig.run.ended;
  return rig;
}

describe('a round with a robust rule', () => {
  it.each(['median', 'trimmed-mean', 'krum', 'multi-krum', 'bulyan', 'geometric-median'] as const)('goes on without what one shop says within the bounds: %s', async (rule) => {
    const [sum] = (await attacked(rule)).sums;
    expect(sum).toMatchObject({ participants: 7, survivors: { length: 7 }, aggregate: { shoppers: 70, robust: { rule, byzantine: 1, reports: 7 } } });
    [35, 21, 14, 0].forEach((expected, item) => expect(sum.aggregate.sum[item]).toBeCloseTo(expected, 2));
  });

  it('adds up what the shop says where there is none', async () => {
    const [sum] = (await attacked(undefined)).sums;
    expect([...sum.aggregate.sum]).toEqual([30, 18, 12, 100]);
    expect(sum.aggregate.robust).toBeUndefined();
  });

  it('acknowledges every report, and fails below its quorum like any other', async () => {
    const whole = await attacked('krum');
    expect(whole.log.filter((line) => line.endsWith('<- accepted'))).toHaveLength(7);
    const short = await trainingRig(shops, { min: 7, target: 7, robust: { rule: 'krum', byzantine: 1 } });
    short.run.left('liar');
    short.clock.advance(20_000);
    expect((await short.run.ended).round).toMatchObject({ phase: 'failed', code: 'round.failed' });
  });
});
