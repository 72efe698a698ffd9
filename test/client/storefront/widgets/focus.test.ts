import { describe, expect, it } from 'vitest';
import { nextKey } from '../../../../client/storefront/widgets/focus.ts';

const shelf = (...ids: string[]): string[] => [...ids.flatMap((id) => [`link:${id}`, `hide:${id}`]), 'variety:', 'degree:'];

describe('where the focus goes when controls are made anew', () => {
  it('to the same control of the same item, wherever it stands now', () => {
    expect(nextKey(shelf('a', 'b', 'c'), 'link:b', shelf('c', 'a', 'b'))).toBe('link:b');
  });

  it('to the same kind of control in the same place, when the item is gone', () => {
    expect(nextKey(shelf('a', 'b', 'c'), 'hide:b', shelf('a', 'c', 'd'))).toBe('hide:c');
  });

  it('to the last of its kind, when there are fewer', () => {
    expect(nextKey(shelf('a', 'b', 'c'), 'hide:c', shelf('a', 'b'))).toBe('hide:b');
  });

  it('to none of them, when none of its kind is left', () => {
    expect(nextKey(shelf('a'), 'hide:a', shelf())).toBeNull();
  });
});
