/** A device's store in memory: it keeps copies, as a browser's does, and can be made to fail. */
import type { DeviceStore } from '../../../client/storefront/device-store.ts';

export interface MemoryDeviceStore extends DeviceStore {
  readonly values: Map<string, unknown>;
  /** Called before a write; what it throws, the write fails with. */
  onUpdate: (name: string) => void;
}

export function memoryDeviceStore(): MemoryDeviceStore {
  const values = new Map<string, unknown>();
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => T): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const store: MemoryDeviceStore = {
    values,
    onUpdate: () => undefined,
    get: (name) => inTurn(() => structuredClone(values.get(name) ?? null)),
    update: (name, change) => inTurn(() => {
      const value = change(structuredClone(values.get(name) ?? null));
      store.onUpdate(name);
      values.set(name, structuredClone(value));
      return value;
    }),
    close: () => undefined,
  };
  return store;
}
