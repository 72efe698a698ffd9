/**
 * Forgets, and shows, what measuring noted on this device, whether or not a page measures just now. What was spent stays, and every report
 * that was made: it may have reached the shop, and a second one drawn for it would cost again and count twice.
 */
import { measureDatabase, measureRecord } from './device-constants.ts';
import { openDeviceStore, type DeviceStore } from './device-store.ts';

/** Of a record what outlives a withdrawal; null of none. */
export function forgotten(record: unknown): unknown {
  if (record === null) return null;
  const { reports, epsilonSpent } = record as Readonly<Record<string, unknown>>;
  return { salt: null, met: {}, reached: {}, reports, epsilonSpent };
}

/** @throws CestaError `storage.failed` */
export async function forgetMeasured(): Promise<void> {
  await withStore(async (store) => {
    if ((await store.get(measureRecord)) !== null) await store.update(measureRecord, forgotten);
  });
}

/**
 * What measuring noted, to be shown to the shopper; null of nothing. Without the salt, which leaves the device in no file.
 * @throws CestaError `storage.failed`
 */
export async function readMeasured(): Promise<unknown> {
  const record = await withStore((store) => store.get(measureRecord));
  return record === null ? null : { ...(record as Readonly<Record<string, unknown>>), salt: undefined };
}

/** Null where nothing was ever measured. */
async function withStore<T>(work: (store: DeviceStore) => Promise<T>): Promise<T | null> {
  const { indexedDB } = globalThis as { readonly indexedDB?: Partial<IDBFactory> };
  const databases = indexedDB === undefined ? [] : await indexedDB.databases?.();
  // Opening would make one; a browser that does not say which there are has to be asked like that.
  if (databases?.every(({ name }) => name !== measureDatabase) === true) return null;
  const store = await openDeviceStore(measureDatabase);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}
