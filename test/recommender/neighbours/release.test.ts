import { describe, expect, it } from 'vitest';
import { decodeTensors, encodeTensors, type NamedTensors, type Tensor } from '../../../shared/protocol/tensors.ts';
import { basket, giftShop, neighboursOf, noisyAggregate, scoresOf, shoppersOf, today } from './fixtures.ts';

const model = neighboursOf(giftShop, { asOf: today });
const items = giftShop.products.length;
const params = model.update(model.initial(), noisyAggregate(model, shoppersOf(300), 2));
const tensors = model.encode(params);

function damaged(name: string, change: (tensor: Tensor) => Tensor | undefined): NamedTensors {
  const changed = change(tensors[name]);
  const rest = Object.fromEntries(Object.entries(tensors).filter(([key]) => key !== name));
  return changed === undefined ? rest : { ...rest, [name]: changed };
}

const withValue = (at: number, value: number) => ({ shape, data }: Tensor): Tensor => {
  const copy = data.slice();
  copy[at] = value;
  return { shape, data: copy };
};

describe('a release of neighbours', () => {
  it('comes back as it was, through bytes, and scores alike', () => {
    const decoded = model.decode(decodeTensors(encodeTensors(tensors)).tensors);
    expect(decoded).toEqual(params);
    expect(scoresOf(model, decoded, basket(0, 5), items)).toEqual(scoresOf(model, params, basket(0, 5), items));
  });

  it('comes back without memory before any round, and without a period where there is none', () => {
    expect(model.decode(model.encode(model.initial()))).toEqual(model.initial());
    const plain = neighboursOf(giftShop);
    const updated = plain.update(plain.initial(), noisyAggregate(plain, shoppersOf(50), 2));
    expect(plain.decode(plain.encode(updated))).toEqual(updated);
    expect(Object.keys(plain.encode(updated))).not.toContain('memory_period');
  });

  it('names its weights as products of the released factors', () => {
    const { factors, weights } = params;
    const [low, high] = [0, factors.rows.partners[0]];
    const forward = factors.evidence[0] * factors.reach[low] * factors.trend[high] + factors.similarityWeight * factors.similarity[0];
    const backward = factors.evidence[0] * factors.reach[high] * factors.trend[low] + factors.similarityWeight * factors.similarity[0];
    const weightOf = (from: number, to: number): number => {
      const row = [...weights.partners.subarray(weights.starts[from], weights.starts[from + 1])];
      return weights.weights[weights.starts[from] + row.indexOf(to)];
    };
    expect(weightOf(low, high)).toBe(Math.fround(forward));
    expect(weightOf(high, low)).toBe(Math.fround(backward));
    expect(forward).not.toBe(backward);
  });

  it.each(Object.keys(tensors).filter((name) => name !== 'memory_pairs' && name !== 'memory_period'))('is refused without %s', (name) => {
    expect(() => model.decode(damaged(name, () => undefined))).toThrow(expect.objectContaining({ code: 'release.untrusted' }));
  });

  it.each(Object.keys(tensors))('is refused when %s is cut short or of another type', (name) => {
    const short = damaged(name, ({ data }) => ({ shape: [data.length - 1], data: data.slice(0, -1) }));
    expect(() => model.decode(short)).toThrow(expect.objectContaining({ code: 'release.untrusted' }));
    const retyped = damaged(name, ({ data }) => ({ shape: [data.length], data: new Int8Array(data.length) }));
    expect(() => model.decode(retyped)).toThrow(expect.objectContaining({ code: 'release.untrusted' }));
  });

  it.each([
    ['evidence', NaN], ['evidence', -1], ['evidence', 1e30], ['similarity_weight', Infinity], ['reach', -0.1], ['reach', 3],
    ['trend', 2.5], ['bias', -1], ['bias', NaN], ['memory_pairs_round', 1], ['memory_as_of', NaN], ['pair_partners', 0], ['pair_starts', 3],
  ])('is refused when %s holds %d', (name, value) => {
    expect(() => model.decode(damaged(name, withValue(0, value)))).toThrow(expect.objectContaining({ code: 'release.untrusted' }));
  });

  it.each([[2, 0], [3, -1]])('is refused when entry %d of a round it remembers is %d', (at, value) => {
    expect(() => model.decode(damaged('memory_popularity_round', withValue(at, value)))).toThrow(expect.objectContaining({ code: 'release.untrusted' }));
  });
});
