import { describe, expect, it } from 'vitest';
import { restoreRemoved } from '../../shared/tensors/native-library.ts';

describe('what newer versions of Node removed from util', () => {
  it('is put back', () => {
    const util: Record<string, unknown> = {};
    restoreRemoved(util);
    const { isNullOrUndefined, isArray } = util as Record<string, (value: unknown) => boolean>;
    expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false]);
    expect([[], {}, 'a'].map(isArray)).toEqual([true, false, false]);
  });

  it('is left alone where it is there still', () => {
    const own = (): boolean => true;
    const util: Record<string, unknown> = { isNullOrUndefined: own };
    restoreRemoved(util);
    expect(util['isNullOrUndefined']).toBe(own);
  });
});
