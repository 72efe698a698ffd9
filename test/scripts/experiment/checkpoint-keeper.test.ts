import { describe, expect, it } from 'vitest';
import { createCheckpointKeeper, type CheckpointKeeper } from '../../../scripts/experiment/checkpoint-keeper.ts';

const checkpoint = (round: number) => ({ round, bytes: Uint8Array.of(round) });

/** Rounds of 10 ms, of which each checkpoint takes half a millisecond longer to write than that of the round before. */
function afterRounds(rounds: number): { saved: number[]; savingMs: number; keeper: CheckpointKeeper } {
  let [nowMs, savingMs] = [0, 0];
  const saved: number[] = [];
  const keeper = createCheckpointKeeper(({ round }) => {
    saved.push(round);
    savingMs += round / 2;
    nowMs += round / 2;
  }, () => nowMs);
  for (let round = 1; round <= rounds; round += 1) {
    nowMs += 10;
    keeper.offer(checkpoint(round));
  }
  return { saved, savingMs, keeper };
}

describe('checkpoints of a run', () => {
  it('are all written while that takes no time, and then take a tenth of the time at most', () => {
    const { saved, savingMs } = afterRounds(5_000);
    expect(saved.slice(0, 3)).toEqual([1, 2, 3]);
    expect(savingMs).toBeLessThan((5_000 * 10) / 9 + 2_500);
    expect(saved.length).toBeGreaterThan(20);
  });

  it('are of the last round where a run is told to stop', () => {
    const { saved, keeper } = afterRounds(1_000);
    expect(saved.at(-1)).toBeLessThan(1_000);
    keeper.flush();
    expect(saved.at(-1)).toBe(1_000);
    const { length } = saved;
    keeper.flush();
    expect(saved).toHaveLength(length);
  });
});
