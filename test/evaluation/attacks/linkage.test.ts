import { describe, expect, it } from 'vitest';
import { linkageScores } from '../../../shared/evaluation/attacks/linkage.ts';

describe('linkage by one known item', () => {
  const rows = Int32Array.of(100, 100, 141, 0, 200);

  it('rules out entries of another size where nothing hides them, but never for good', () => {
    expect([...linkageScores(rows, 0, 0)]).toEqual([-0, -0, -30, -30, -30]);
  });

  it('says next to nothing under noise larger than the entries', () => {
    for (const score of linkageScores(rows, 0, 1000)) expect(score).toBeGreaterThan(-0.01);
  });
});
