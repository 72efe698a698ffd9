/** A growable list of (index, value) entries: what a model writes one shopper's contribution into. */
export interface SparseVector {
  readonly size: number;
  /** Adds an entry. Indexes of one contribution are distinct: the caller guarantees it. */
  add(index: number, value: number): void;
  indexAt(position: number): number;
  valueAt(position: number): number;
  /** Empties the vector and keeps its memory for the next shopper. */
  clear(): void;
}

/** An empty one. @param capacity entries that fit before it grows */
export function createSparseVector(capacity = 1024): SparseVector {
  let indexes = new Int32Array(capacity);
  let values = new Float64Array(capacity);
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(index, value) {
      if (size === indexes.length) {
        const largerIndexes = new Int32Array(size * 2);
        const largerValues = new Float64Array(size * 2);
        largerIndexes.set(indexes);
        largerValues.set(values);
        indexes = largerIndexes;
        values = largerValues;
      }
      indexes[size] = index;
      values[size] = value;
      size += 1;
    },
    indexAt: (position) => indexes[position],
    valueAt: (position) => values[position],
    clear() {
      size = 0;
    },
  };
}
