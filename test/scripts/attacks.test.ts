import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aesMasker } from '../../scripts/audit/attacks/aes-mask.ts';
import { auditAttacks, type AttackReport, type AttackRow } from '../../scripts/audit/attacks/attacks.ts';
import { renderChart } from '../../scripts/audit/attacks/chart.ts';
import { judge } from '../../scripts/audit/attacks/verdict.ts';
import { main } from '../../scripts/cli/main.ts';

const options = { data: 'online-retail', model: 'neighbours', shoppers: 24, participants: [2], epsilons: [1], delta: 1e-5, seed: 1 };
const rowOf = ({ rows }: AttackReport, kind: AttackRow['kind']): AttackRow => {
  const row = rows.find((candidate) => candidate.kind === kind);
  if (row === undefined) throw new Error(`no row ${kind}`);
  return row;
};

describe.each(['neighbours', 'als'])('attacks on %s', (model) => {
  let report: AttackReport;
  beforeAll(async () => {
    report = await auditAttacks({ ...options, model });
  }, 120_000);

  it('read a plain upload to the last item, and nothing beyond the prior from a protected sum', () => {
    expect(rowOf(report, 'plain').rowAdvantage.value).toBeGreaterThanOrEqual(0.95);
    expect(rowOf(report, 'plain').rowArea.value).toBeGreaterThan(0.999);
    expect(rowOf(report, 'protected').rowAdvantage.value).toBeLessThanOrEqual(0.05);
    expect(Math.abs(rowOf(report, 'protected').rowArea.value - rowOf(report, 'protected').priorArea)).toBeLessThan(0.03);
    expect(report.verdict.pass).toBe(true);
  });

  it('need noise to be stopped where few are summed, and are stopped by neither clip nor row cap', () => {
    expect(rowOf(report, 'sum').rowAdvantage.value).toBeGreaterThan(0.3);
    expect(rowOf(report, 'clipped').rowAdvantage.value).toBeGreaterThanOrEqual(0.95);
  });

  it('find the rest of a history from one known item in a small sum, and not under noise', () => {
    expect(rowOf(report, 'plain').linkedAdvantage.value).toBeGreaterThanOrEqual(0.95);
    expect(rowOf(report, 'sum').linkedAdvantage.value).toBeGreaterThan(rowOf(report, 'sum').rowAdvantage.value + 0.1);
    expect(rowOf(report, 'protected').linkedAdvantage.value).toBeLessThanOrEqual(0.05);
  });

  it('tell touched from untouched items by sign in the clear, and not under noise', () => {
    expect(rowOf(report, 'plain').signArea.value).toBeGreaterThan(0.99);
    expect(rowOf(report, 'sum').signArea.value).toBeGreaterThan(0.7);
    for (const kind of ['masked', 'noise', 'protected'] as const) expect(rowOf(report, kind).signArea.low).toBeLessThan(0.55);
  });

  it('infer interactions in the clear, and no better than a coin under noise', () => {
    expect(rowOf(report, 'plain').interactionF1.value).toBeGreaterThan(0.9);
    expect(rowOf(report, 'sum').interactionF1.value).toBeGreaterThan(0.85);
    for (const kind of ['masked', 'noise', 'protected'] as const) {
      expect(rowOf(report, kind).interactionF1.value).toBeLessThan(0.6);
      expect(rowOf(report, kind).interactionArea.low).toBeLessThan(0.55);
    }
  });

  it('find members of a sum, certainly where the others are known, until noise hides whether', () => {
    expect(rowOf(report, 'sum').subtractionArea.value).toBe(1);
    expect(rowOf(report, 'sum').memberArea.value).toBeGreaterThan(0.95);
    for (const kind of ['masked', 'protected'] as const) {
      expect(rowOf(report, kind).subtractionArea.low).toBeLessThan(0.6);
      expect(rowOf(report, kind).memberArea.low).toBeLessThan(0.6);
    }
  });
});

describe('the suite of attacks', () => {
  it('fails a build whose noise is missing', async () => {
    const report = await auditAttacks({ ...options, noiseFactor: 0 });
    expect(rowOf(report, 'protected').rowAdvantage.value).toBeGreaterThan(0.3);
    expect(report.verdict.pass).toBe(false);
    expect(report.verdict.lines.at(-1)).toContain('TOO MUCH');
  }, 120_000);

  it('fails when the plain upload is not caught, and when a figure is no number', async () => {
    const { rows } = await auditAttacks({ ...options, model: 'popularity', shoppers: 8 });
    expect(judge(rows).pass).toBe(true);
    const withAdvantage = (kind: AttackRow['kind'], value: number) => judge(rows.map((row) => (row.kind === kind ? { ...row, rowAdvantage: { value, low: value, high: value } } : row)));
    expect(withAdvantage('plain', 0.94)).toMatchObject({ pass: false });
    expect(withAdvantage('plain', 0.94).lines[0]).toContain('NOT CAUGHT');
    expect(withAdvantage('plain', NaN).pass).toBe(false);
    expect(withAdvantage('protected', NaN).pass).toBe(false);
    expect(withAdvantage('protected', 0.06).pass).toBe(false);
    const linked = { value: 0.06, low: 0.06, high: 0.06 };
    expect(judge(rows.map((row) => (row.kind === 'protected' ? { ...row, linkedAdvantage: linked } : row))).pass).toBe(false);
  }, 120_000);

  it('gives the same figures for the same seed, and others for another', async () => {
    const small = { ...options, model: 'popularity', shoppers: 6 };
    const first = await auditAttacks(small);
    expect(await auditAttacks(small)).toEqual(first);
    expect((await auditAttacks({ ...small, seed: 2 })).rows).not.toEqual(first.rows);
  }, 120_000);

  it('refuses what it cannot attack', async () => {
    await expect(auditAttacks({ ...options, model: 'oracle' })).rejects.toMatchObject({ code: 'model.unknown' });
    await expect(auditAttacks({ ...options, model: 'ease' })).rejects.toMatchObject({ code: 'model.unusable' });
    await expect(auditAttacks({ ...options, data: 'nowhere.csv' })).rejects.toMatchObject({ code: 'data.not-found' });
    await expect(auditAttacks({ ...options, shoppers: 3000 })).rejects.toMatchObject({ code: 'config.invalid', message: expect.stringContaining('shoppers: expected at most') as string });
    await expect(auditAttacks({ ...options, participants: [5000] })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(auditAttacks({ ...options, participants: [] })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(auditAttacks({ ...options, epsilons: [] })).rejects.toMatchObject({ code: 'config.invalid' });
  }, 120_000);
});

describe('a mask', () => {
  it('makes every word uniform, differs by stream and repeats by seed', () => {
    const masked = (seed: number, stream: number) => {
      const upload = new Int32Array(100_000);
      aesMasker(seed)(upload, stream);
      return upload;
    };
    const words = masked(1, 0);
    expect(masked(1, 0)).toEqual(words);
    expect(masked(1, 1)).not.toEqual(words);
    expect(masked(2, 0)).not.toEqual(words);
    const counts = new Float64Array(256);
    for (const word of words) counts[word >>> 24] += 1;
    const statistic = counts.reduce((sum, count) => sum + (count - 390.625) ** 2 / 390.625, 0);
    // 255 degrees of freedom: six standard deviations either side.
    expect(statistic).toBeGreaterThan(255 - 6 * Math.sqrt(510));
    expect(statistic).toBeLessThan(255 + 6 * Math.sqrt(510));
  });
});

describe('the chart', () => {
  const bar = { value: 0.75, low: 0.7, high: 0.8 };
  const chart = renderChart({ title: 'A < B & "C"', description: 'what it shows', rows: ['one\u0000', 'two'], panels: [{ title: 'AUC', from: 0.5, to: 1, bars: [bar, { value: NaN, low: NaN, high: NaN }] }] });

  it('is named and described for those who do not see it', () => {
    expect(chart).toContain('role="img" aria-labelledby="title description"');
    expect(chart).toContain('<title id="title">A &lt; B &amp; &quot;C&quot;</title>');
    expect(chart).toContain('<desc id="description">what it shows</desc>');
  });

  it('draws each bar from a guess to its value, says the value, and draws none where there is no number', () => {
    expect(chart.match(/height="12" fill="#3b6ea5"/g)).toHaveLength(1);
    expect(chart).toContain('width="85" height="12"');
    expect(chart).toContain('>0.75</text>');
    expect(chart).toContain('>none</text>');
    expect(chart).not.toContain('NaN');
    expect(chart).not.toContain('\u0000');
  });
});

describe('cesta audit attacks', () => {
  const small = ['audit', 'attacks', '--model', 'popularity', '--shoppers', '6', '--participants', '2,3', '--epsilons', '1'];
  const run = async (...words: string[]): Promise<{ out: string; complaint: string; code: unknown }> => {
    let out = '';
    let complaint = '';
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      out += String(chunk);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      complaint += String(chunk);
      return true;
    });
    process.exitCode = undefined;
    await main(['node', 'cesta', ...words]);
    write.mockRestore();
    return { out, complaint, code: process.exitCode };
  };
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  it('prints one JSON object and writes the chart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cesta-attacks-'));
    try {
      const chart = join(folder, 'attacks.svg');
      const { out, code } = await run(...small, '--json', '--chart', chart);
      const report = JSON.parse(out) as AttackReport;
      expect(report.rows.map(({ name }) => name)).toEqual([
        'one upload in the clear', 'clip and row cap', 'one masked upload', 'sum of 2', 'sum of 3', 'one upload, epsilon 1', 'sum of 2, epsilon 1', 'sum of 3, epsilon 1',
      ]);
      expect(report.exclusive.map(({ participants }) => participants)).toEqual([2, 3]);
      expect(report.exclusive[0].shares['items']).toBeGreaterThan(0.9);
      expect(code).toBeUndefined();
      const svg = await readFile(chart, 'utf8');
      expect(svg).toContain('sum of 3, epsilon 1');
      expect(svg.trim().endsWith('</svg>')).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 120_000);

  it('prints a table and what it means', async () => {
    const { out } = await run(...small);
    expect(out).toContain('row change, advantage');
    expect(out).toContain('Control: a plain upload gives the row-change attack 1.00 of what there is to learn: caught.');
  }, 120_000);

  it('ends with 2 for what is no option value, and with 1 for data that is not there', async () => {
    expect((await run(...small, '--participants', '1')).code).toBe(2);
    expect((await run(...small, '--participants', '2,x')).code).toBe(2);
    expect((await run(...small, '--shoppers', '0')).code).toBe(2);
    expect((await run(...small, '--epsilons', '0')).code).toBe(2);
    expect((await run(...small, '--data', 'nowhere.csv')).code).toBe(1);
    const { code, complaint } = await run(...small, '--chart', '/nowhere/at/all.svg');
    expect(code).toBe(1);
    expect(complaint).toContain('config.invalid: chart: expected a file that can be written, got /nowhere/at/all.svg');
  }, 120_000);
});
