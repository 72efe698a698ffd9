import { describe, expect, it } from 'vitest';
import { showProgress } from '../../../scripts/cli/experiment-progress.ts';
import { runExperiment } from '../../../scripts/experiment/run-experiment.ts';
import { temporaryFolder } from '../../server/support/folders.ts';
import { simulatorDouble } from './double.ts';

describe('progress without a terminal', () => {
  it('is a line for every finished run and every tenth of a long one, with the time that is left', async () => {
    let nowMs = 0;
    const lines: string[] = [];
    const { onEvent, end } = showProgress('lines', () => nowMs, (line) => void lines.push(line));
    const { simulate } = simulatorDouble({ beforeRound: () => Promise.resolve(void (nowMs += 30_000)) });
    await runExperiment({ rounds: 20, seeds: [1, 2], baselines: ['popularity'] }, { name: 'tried', runs: temporaryFolder(), jobs: 1, simulate, onEvent });
    end();
    expect(lines).toHaveLength(1 + 1 + 2 * 10);
    expect(lines[0]).toBe('tried: 3 of 3 runs to do');
    expect(lines[1]).toBe('popularity, seed 1 (1 of 3 runs)');
    expect(lines[2]).toMatch(/^neighbours, seed 1: round 2 of 20, ndcg@10 0\.\d{4}, epsilon 0\.200 \(1 of 3 runs, 19 min left\)$/);
    expect(lines.at(-1)).toMatch(/^neighbours, seed 2: round 20 of 20, .* \(3 of 3 runs\)$/);
  });
});
