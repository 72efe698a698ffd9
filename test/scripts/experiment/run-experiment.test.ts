import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planExperiment, runsOf } from '../../../scripts/experiment/plan-experiment.ts';
import { runExperiment, type ExperimentEvent, type ExperimentOptions } from '../../../scripts/experiment/run-experiment.ts';
import { lockRun } from '../../../scripts/experiment/run-lock.ts';
import type { ExperimentInput } from '../../../scripts/experiment/define.ts';
import { simulatorDouble } from './double.ts';

let root: string;
let data: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cesta-experiment-'));
  data = join(root, 'orders.csv');
  writeFileSync(data, 'item_id,shopper_id,timestamp\nlamp,ana,2024-05-01\n');
});
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newRuns = (): string => join(root, `runs-${(folders += 1)}`);
const asked = (): ExperimentInput => ({ data, rounds: 4, seeds: [1, 2], privacy: { epsilon: { sweep: [1, null] } }, baselines: ['popularity'] });
const ran = (runs: string, options: ExperimentOptions): ReturnType<typeof runExperiment> => runExperiment(asked(), { name: 'tried', runs, jobs: 1, ...options });

/** Every file below a folder but timings. */
function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== 'timings.jsonl').map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(names.map((name) => [name.slice(folder.length), readFileSync(name, 'latin1')]));
}

describe('running an experiment', () => {
  it('runs every scenario once, and yields cells, baselines and what made them', async () => {
    const { simulate, calls } = simulatorDouble();
    const result = await ran(newRuns(), { simulate, command: 'npx cesta experiment tried.json' });
    expect(calls).toHaveLength(5);
    expect(result).toMatchObject({ name: 'tried', axes: ['privacy.epsilon'], metrics: ['ndcg@10'], comparedWith: 'popularity', command: 'npx cesta experiment tried.json', attribution: null });
    expect(result.cells.map(({ label, runs }) => [label, runs.map(({ scenario, rounds }) => [scenario.seed, rounds.length])])).toEqual([['epsilon 1', [[1, 4], [2, 4]]], ['no noise', [[1, 4], [2, 4]]]]);
    const [run] = result.cells[0].runs;
    expect(run.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);
    expect(run.metrics['ndcg@10']).toBe(run.rounds[3].metrics?.['ndcg@10']);
    expect(run.tests.shops).toEqual(Int32Array.of(0, 1));
    expect(run.model).toEqual(Uint8Array.of(1, 2, 1));
    expect(run.dataHash).toBe(result.dataHash);
    expect(result.baselines.popularity?.[0]).toMatchObject({ model: null, rounds: [] });
  });

  it('leaves in the folder of a run what the run was and what came of it', async () => {
    const runs = newRuns();
    const { cells: [{ runs: [run] }] } = await ran(runs, { simulate: simulatorDouble().simulate });
    const folder = join(runs, 'tried', run.id.slice(0, 12));
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.bin', 'result.json', 'rounds.jsonl', 'tests.bin', 'timings.jsonl']);
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toMatchObject({ id: run.id, scenario: { seed: 1, rounds: 4 }, data: run.dataHash, versions: { node: process.versions.node } });
    expect(readFileSync(join(folder, 'rounds.jsonl'), 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { round: number }).round)).toEqual([1, 2, 3, 4]);
  });

  it('skips what is finished', async () => {
    const runs = newRuns();
    const first = await ran(runs, { simulate: simulatorDouble().simulate });
    const before = filesOf(runs);
    const again = simulatorDouble();
    const events: ExperimentEvent[] = [];
    const second = await ran(runs, { simulate: again.simulate, onEvent: (event) => void events.push(event) });
    expect(again.calls).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(['planned']);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(filesOf(runs)).toEqual(before);
    const more = simulatorDouble();
    await ran(runs, { simulate: more.simulate, seeds: [1, 3] });
    expect(more.calls.map(({ seed }) => seed)).toEqual([3, 3]);
  });

  it('clears away what a process left that was killed right after a result', async () => {
    const runs = newRuns();
    const { cells: [{ runs: [run] }] } = await ran(runs, { simulate: simulatorDouble().simulate });
    const before = filesOf(runs);
    for (const name of ['checkpoint.bin', 'result.json.new']) writeFileSync(join(runs, 'tried', run.id.slice(0, 12), name), 'left');
    const again = simulatorDouble();
    await ran(runs, { simulate: again.simulate });
    expect(again.calls).toEqual([]);
    expect(filesOf(runs)).toEqual(before);
  });

  it('runs again what is damaged', async () => {
    const runs = newRuns();
    const { cells: [{ runs: [run] }] } = await ran(runs, { simulate: simulatorDouble().simulate });
    const before = filesOf(runs);
    writeFileSync(join(runs, 'tried', run.id.slice(0, 12), 'tests.bin'), 'short');
    const again = simulatorDouble();
    await ran(runs, { simulate: again.simulate });
    expect(again.calls).toEqual([{ seed: 1, from: 1 }]);
    expect(filesOf(runs)).toEqual(before);
  });

  it('goes on after the last checkpoint of an interrupted run, to the same bytes', async () => {
    const [whole, broken] = [newRuns(), newRuns()];
    await ran(whole, { simulate: simulatorDouble().simulate });
    await expect(ran(broken, { simulate: simulatorDouble({ failsAt: 3 }).simulate })).rejects.toThrow('broken');
    const { folder } = runsOf(await planExperiment(asked(), { name: 'tried' }, broken))[1];
    expect(readFileSync(join(folder, 'rounds.jsonl'), 'utf8').trim().split('\n')).toHaveLength(3);
    appendFileSync(join(folder, 'rounds.jsonl'), '{"round":4,"outc');
    const again = simulatorDouble();
    const heard: number[] = [];
    await ran(broken, { simulate: again.simulate, loggers: ({ folder: of }) => [{ start: () => undefined, round: ({ round }) => void (of === folder && heard.push(round)), end: () => undefined }] });
    expect(again.calls[0]).toEqual({ seed: 1, from: 3 });
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(filesOf(broken)).toEqual(filesOf(whole));
  });

  it('begins anew without a checkpoint that can be read, and when it is told to', async () => {
    for (const [spoil, resume] of [[(folder: string) => writeFileSync(join(folder, 'checkpoint.bin'), 'short'), true], [() => undefined, false]] as const) {
      const runs = newRuns();
      await expect(ran(runs, { simulate: simulatorDouble({ failsAt: 3 }).simulate })).rejects.toThrow('broken');
      spoil(runsOf(await planExperiment(asked(), { name: 'tried' }, runs))[1].folder);
      const again = simulatorDouble();
      await ran(runs, { simulate: again.simulate, resume });
      expect(again.calls.every(({ from }) => from === 1)).toBe(true);
    }
  });

  it('stops between two rounds when it is told to, and keeps what is done', async () => {
    const runs = newRuns();
    const stopping = new AbortController();
    const stops = simulatorDouble({ beforeRound: (round) => Promise.resolve(round === 3 ? stopping.abort(new Error('enough')) : undefined) });
    await expect(ran(runs, { simulate: stops.simulate, signal: stopping.signal })).rejects.toThrow('enough');
    // Of the cells the first one only: the baseline has no rounds.
    expect(stops.calls).toHaveLength(2);
    const again = simulatorDouble();
    await ran(runs, { simulate: again.simulate });
    expect(again.calls.map(({ from }) => from)).toEqual([3, 1, 1, 1]);
  });

  it('runs several at a time to the same bytes, and stops all of them when one breaks', async () => {
    const [one, several] = [newRuns(), newRuns()];
    await ran(one, { simulate: simulatorDouble().simulate });
    await ran(several, { simulate: simulatorDouble().simulate, jobs: 3 });
    expect(filesOf(several)).toEqual(filesOf(one));
    await expect(ran(newRuns(), { simulate: simulatorDouble({ failsAt: 2 }).simulate, jobs: 3 })).rejects.toThrow('broken');
  });

  it('says where it cannot write', async () => {
    const runs = join(newRuns(), 'tried');
    mkdirSync(dirname(runs), { recursive: true });
    writeFileSync(runs, 'a file where the folder of the experiment would be');
    await expect(ran(dirname(runs), { simulate: simulatorDouble().simulate })).rejects.toMatchObject({ code: 'storage.failed', message: expect.stringMatching(new RegExp(`^popularity, seed 1: ${runs}`)) as string });
  });

  it('does not take what a listener may not write for the folder of the run', async () => {
    const refused = Object.assign(new Error('EACCES: permission denied, open'), { code: 'EACCES' });
    const listener = { start: () => undefined, round: () => Promise.reject(refused), end: () => undefined };
    const failed = ran(newRuns(), { simulate: simulatorDouble().simulate, loggers: () => [listener] });
    await expect(failed).rejects.not.toMatchObject({ code: 'storage.failed' });
  });

  it('tells who listens of a run that another process finishes in between', async () => {
    const runs = newRuns();
    const heard: number[] = [];
    const meanwhile = { start: async () => void (await ran(runs, { simulate: simulatorDouble().simulate })), round: ({ round }: { round: number }) => void heard.push(round), end: () => undefined };
    const late = simulatorDouble();
    await ran(runs, { simulate: late.simulate, loggers: ({ scenario }) => (scenario.baseline === undefined && scenario.seed === 1 && scenario.privacy.epsilon === 1 ? [meanwhile] : []) });
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(late.calls).toEqual([{ seed: 1, from: 1 }]);
  });

  it('refuses data that changes under it', async () => {
    const changing = join(root, 'changing.csv');
    writeFileSync(changing, 'item_id,shopper_id,timestamp\n');
    const changes = simulatorDouble({ beforeRound: () => Promise.resolve(appendFileSync(changing, 'lamp,ana,2024-05-01\n')) });
    await expect(runExperiment({ data: changing }, { runs: newRuns(), simulate: changes.simulate })).rejects.toMatchObject({ code: 'data.unreadable' });
  });
});

describe('the lock of a run', () => {
  it('is held by one, and refused to others while its process lives', async () => {
    const folder = newRuns();
    const lock = await lockRun(folder);
    await expect(lockRun(folder, 0)).rejects.toMatchObject({ code: 'experiment.busy', message: expect.stringContaining(`process ${process.pid}`) as string });
    lock.release();
    (await lockRun(folder, 0)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over from a process that has ended', async () => {
    const folder = newRuns();
    const child = spawn(process.execPath, ['--input-type=module', '-e', `
      import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};
      register();
      await (await import(${JSON.stringify(new URL('../../../scripts/experiment/run-lock.ts', import.meta.url).href)})).lockRun(${JSON.stringify(folder)});
      console.log('locked');
      setInterval(() => undefined, 1000);`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => void child.once('close', resolve));
    await new Promise((resolve) => void child.stdout.once('data', resolve));
    await expect(lockRun(folder, 0)).rejects.toMatchObject({ code: 'experiment.busy', message: expect.stringContaining(`process ${child.pid}`) as string });
    child.kill('SIGKILL');
    await ended;
    (await lockRun(folder, 0)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is no lock of a later process with the same number', async () => {
    const folder = newRuns();
    (await lockRun(folder)).release();
    writeFileSync(join(folder, `lock-${process.ppid}-1`), '');
    (await lockRun(folder, existsSync('/proc/self/stat') ? 0 : 1)).release();
  });
});
