import { describe, expect, it } from 'vitest';
import { createFloor } from '../../server/floor.ts';

describe('the floor', () => {
  it('belongs to one task at a time, and to the others in the order in which they asked', () => {
    const floor = createFloor();
    const asked: string[] = [];
    const ask = (task: string): boolean => floor.take(task, () => {
      asked.push(task);
      ask(task);
    });
    expect([ask('a'), ask('b'), ask('c'), ask('b')]).toEqual([true, false, false, false]);
    floor.give('a');
    expect([floor.holder, ...asked]).toEqual(['b', 'b']);
    ask('a');
    floor.give('b');
    floor.give('c');
    expect([floor.holder, ...asked]).toEqual(['a', 'b', 'c', 'a']);
  });

  it('goes to the next when one whose turn came has nothing to open any more', () => {
    const floor = createFloor();
    floor.take('a', () => undefined);
    floor.take('b', () => undefined);
    floor.take('c', () => void floor.take('c', () => undefined));
    floor.give('a');
    expect(floor.holder).toBe('c');
  });

  it('is not lost when a task that waits gives up', () => {
    const floor = createFloor();
    floor.take('a', () => undefined);
    floor.take('b', () => {
      throw new Error('it gave up');
    });
    floor.give('b');
    expect(floor.holder).toBe('a');
    floor.give('a');
    expect(floor.holder).toBeNull();
  });
});
