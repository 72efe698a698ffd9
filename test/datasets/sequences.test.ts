import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { visitCount, visitItems } from '../../shared/commerce/history.ts';
import { loadSequences } from '../../shared/datasets/sequences.ts';

describe('a sequence file', () => {
  it('has one shopper a line, whose items are visits in their order', () => {
    const { catalogue, shoppers, report } = loadSequences('clicks.txt', 'lamp desk lamp\n\nchair,desk , lamp\n');
    expect(catalogue.products.map(({ id }) => id)).toEqual(['chair', 'desk', 'lamp']);
    expect(shoppers.map(({ id, history }) => [id, [...history.items], [...history.visitTimes], visitCount(history)])).toEqual([
      ['1', [2, 1, 2], [0, 1, 2], 3],
      ['3', [0, 1, 2], [0, 1, 2], 3],
    ]);
    expect([...visitItems(shoppers[1].history, 1)]).toEqual([1]);
    expect(report).toEqual({ lines: 2, used: 2, complaints: [] });
  });

  it('reports lines without items and items it leaves out', () => {
    const { shoppers, report } = loadSequences('clicks.txt', `lamp\n,,\n${'x'.repeat(257)} lamp\n`);
    expect(shoppers.map(({ id, history }) => [id, history.items.length])).toEqual([['1', 1], ['3', 1]]);
    expect(report).toMatchObject({ lines: 3, used: 2, complaints: [{ kind: 'missing-item', lines: [2] }, { kind: 'skipped-items', lines: [3] }] });
  });

  it('keeps to a catalogue that is given', () => {
    const catalogue = createCatalogue([{ id: 'a', title: 'A' }, { id: 'lamp', title: 'Lamp' }]);
    const { shoppers, report } = loadSequences('clicks.txt', 'desk lamp\ndesk\n', { catalogue });
    expect(shoppers.map(({ history }) => [...history.items])).toEqual([[1]]);
    expect(report).toMatchObject({ lines: 2, used: 1, complaints: [{ kind: 'missing-item', lines: [2] }, { kind: 'skipped-items', lines: [1] }] });
  });
});
