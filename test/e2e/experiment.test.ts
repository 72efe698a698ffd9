/** `cesta experiment` as real processes: killed and begun again, told to stop, and asked what it would do. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ordersCsv } from '../scripts/experiment/orders.ts';
import { openWorkshop, type Workshop } from './processes.ts';

const rounds = 15;
let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
  workshop.file('orders.csv', ordersCsv(60));
  workshop.file('small.json', JSON.stringify({ data: 'orders.csv', rounds, seeds: [1, 2], model: 'als', population: { shops: 5 }, privacy: { epsilon: 2 }, baselines: ['popularity'], metrics: ['ndcg@10', 'coverage@10'] }));
});
afterEach(() => workshop.close());

/** Every file of an experiment but timings, by its path. */
function filesOf(runs: string): Record<string, string> {
  const folder = join(workshop.folder, runs, 'small');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== 'timings.jsonl');
  return Object.fromEntries(entries.map(({ parentPath, name }) => join(parentPath, name)).sort().map((path) => [path.slice(folder.length), readFileSync(path, 'latin1')]));
}

/** Folders of runs that have begun, with the rounds each has done and whether it is finished. */
function progressOf(runs: string): { readonly lines: number; readonly isFinished: boolean }[] {
  const folder = join(workshop.folder, runs, 'small');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'rounds.jsonl'))).map((name) => ({
    lines: readFileSync(join(folder, name, 'rounds.jsonl'), 'utf8').split('\n').length - 1,
    isFinished: existsSync(join(folder, name, 'result.json')),
  }));
}

async function untilInTheMiddle(runs: string): Promise<void> {
  // A process that starts others, each of which loads what it runs: seconds where nobody else works, a minute where many do.
  await expect.poll(() => progressOf(runs).some(({ lines }) => lines >= 3), { interval: 5, timeout: 150_000 }).toBe(true);
}

describe('cesta experiment', () => {
  it('killed in the middle of a run, yields the same bytes as without', async () => {
    const killed = workshop.run(['experiment', 'small.json', '--jobs', '2', '--runs', 'killed']);
    await untilInTheMiddle('killed');
    killed.kill('SIGKILL');
    await killed.ended;
    expect(progressOf('killed').some(({ lines, isFinished }) => lines >= 3 && !isFinished)).toBe(true);
    expect(existsSync(join(workshop.folder, 'killed/small/results.csv'))).toBe(false);
    const again = workshop.run(['experiment', 'small.json', '--jobs', '2', '--runs', 'killed']);
    const whole = workshop.run(['experiment', 'small.json', '--jobs', '1', '--runs', 'whole']);
    expect([await again.ended, await whole.ended]).toEqual([0, 0]);
    const files = filesOf('whole');
    expect(Object.keys(files).map((path) => path.replace(/^\/[0-9a-f]{12}/, ''))).toEqual(expect.arrayContaining(['/config.json', '/rounds.jsonl', '/tests.bin', '/model.bin', '/result.json', '/results.csv', '/results.parquet', '/report.html']));
    expect(filesOf('killed')).toEqual(files);
    // Three experiments, each with processes of its own.
  }, 400_000);

  it('told to stop, says how to go on, and goes on', async () => {
    const stopped = workshop.run(['experiment', 'small.json', '--seeds', '1', '--jobs', '1']);
    await untilInTheMiddle('runs');
    stopped.kill('SIGTERM');
    expect(await stopped.ended).toBe(130);
    expect(stopped.stderr()).toContain('to go on: npx cesta experiment small.json --seeds 1');
    const planned = workshop.run(['experiment', 'small.json', '--seeds', '1', '--dry-run', '--json']);
    expect(await planned.ended).toBe(0);
    const { runs } = JSON.parse(planned.stdout()) as { runs: { label: string; state: string; roundsDone: number }[] };
    expect(runs.map(({ label, state }) => [label, state])).toEqual([['popularity, seed 1', 'finished'], ['als, seed 1', 'to run']]);
    expect(runs[1].roundsDone).toBeGreaterThanOrEqual(2);
    const again = workshop.run(['experiment', 'small.json', '--seeds', '1', '--json', '--tensorboard']);
    expect(await again.ended).toBe(0);
    interface Row { label: string; runs: { rounds: number; folder: string }[] }
    const { cells, baselines, files } = JSON.parse(again.stdout()) as { cells: Row[]; baselines: Row[]; files: { report: string } };
    expect([...cells, ...baselines].map(({ label, runs: [{ rounds: done }] }) => [label, done])).toEqual([['als', rounds], ['popularity', 0]]);
    expect(readdirSync(join(workshop.folder, cells[0].runs[0].folder))).not.toContain('checkpoint.bin');
    expect(readFileSync(join(workshop.folder, files.report), 'utf8')).toContain('<svg');
    expect(readdirSync(join(workshop.folder, 'runs/small/tensorboard'))).toHaveLength(1);
  }, 400_000);
});
