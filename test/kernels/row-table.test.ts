import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRowTable, plainRowTable } from '../../shared/kernels/row-table.ts';
import { topK } from '../../shared/ranking/top-k.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { withoutWebAssembly } from './without-web-assembly.ts';

/** Large enough for a memory of its own; few distinct values, so that scores tie. */
function randomTable(rows: number, width: number, seed: number): { data: Float32Array; query: Float32Array; excluded: Uint8Array } {
  const random = seededRandom(seed, 'row table');
  const draw = (): number => Math.floor(random.nextFloat() * 5) - 2;
  return {
    data: Float32Array.from({ length: rows * width }, draw),
    query: Float32Array.from({ length: width }, draw),
    excluded: Uint8Array.from({ length: rows }, () => (random.nextFloat() < 0.3 ? 1 : 0)),
  };
}

const shapes = fc.record({ rows: fc.integer({ min: 3_400, max: 5_000 }), width: fc.integer({ min: 5, max: 21 }), seed: fc.nat(), k: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(9_000)) });

describe('a row table', () => {
  it('scores and ranks alike with SIMD and without, at all widths, with ties and more wanted than there are', () => {
    fc.assert(fc.property(shapes, ({ rows, width, seed, k }) => {
      const { data, query, excluded } = randomTable(rows, width, seed);
      const [simd, plain] = [createRowTable(data, width), plainRowTable(data, width)];
      const [ours, theirs] = [new Float32Array(rows), new Float32Array(rows)];
      simd.scores(query, ours);
      plain.scores(query, theirs);
      expect(ours).toEqual(theirs);
      expect(simd.topK(query, k, excluded)).toEqual(plain.topK(query, k, excluded));
      expect(simd.topK(query, k).items).toEqual(topK(theirs, k));
    }), { numRuns: 25 });
  });

  it('gives the same bits for numbers that round', () => {
    const random = seededRandom(3, 'bits');
    const [rows, width] = [1_003, 19];
    const data = Float32Array.from({ length: rows * width }, () => random.nextFloat() - 0.5);
    const query = Float32Array.from({ length: width }, () => random.nextFloat() - 0.5);
    const [ours, theirs] = [new Float32Array(rows), new Float32Array(rows)];
    createRowTable(data, width).scores(query, ours);
    plainRowTable(data, width).scores(query, theirs);
    expect(ours).toEqual(theirs);
    expect(new Set(ours).size).toBeGreaterThan(900);
  });

  it('never ranks NaN, and ranks infinities', () => {
    const [rows, width] = [5_000, 4];
    const data = new Float32Array(rows * width).fill(1);
    data[4] = Number.NaN;
    data[4_000 * width] = Infinity;
    data[4_001 * width] = -Infinity;
    const query = Float32Array.of(1, 0.5, 0.25, 0.125);
    for (const table of [createRowTable(data, width), plainRowTable(data, width)]) {
      const { items, scores } = table.topK(query, rows);
      expect(items.length).toBe(rows - 1);
      expect([items[0], scores[0], items[1], items[2]]).toEqual([4_000, Infinity, 0, 2]);
      expect([items[rows - 2], scores[rows - 2]]).toEqual([4_001, -Infinity]);
    }
  });

  it('ranks the example of its documentation', () => {
    const { items, scores } = createRowTable(Float32Array.of(1, 0, 0, 2, 1, 1), 2).topK(Float32Array.of(1, 1), 2);
    expect([[...items], [...scores]]).toEqual([[1, 2], [2, 2]]);
  });

  it('does without WebAssembly', async () => {
    const { data, query } = randomTable(4_000, 8, 1);
    const expected = createRowTable(data, 8).topK(query, 10);
    await withoutWebAssembly(() => expect(createRowTable(data, 8).topK(query, 10)).toEqual(expected));
  });
});
