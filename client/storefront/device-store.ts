/**
 * Named values that outlive the page, in IndexedDB: the one storage of a browser that a worker has, that says when a write is
 * on disk, and that lets one tab read and write with no other in between. Without it nothing takes part: `localStorage` has
 * none of the three, and a record of spends that may be lost is no record.
 *
 * Security: every script of the page's origin can read it. A browser may clear it when space is short, unless the page was
 * granted `navigator.storage.persist()`; with it go the device's key and what it remembers to have spent.
 */
import { CestaError } from '../../shared/protocol/errors.ts';

export interface DeviceStore {
  /** Null before the first write; sees every write that was asked for before. @throws CestaError `storage.failed` */
  get(name: string): Promise<unknown>;
  /**
   * Writes what `change` makes of the value, null before the first write, with nobody else in between. Resolves to it when it
   * is on disk; whatever `change` throws, nothing is written.
   * @throws CestaError `storage.failed`
   */
  update<T>(name: string, change: (value: unknown) => T): Promise<T>;
  close(): void;
}

const tableName = 'records';

/** @throws CestaError `storage.failed` where there is no IndexedDB, or none for this page */
export async function openDeviceStore(name: string): Promise<DeviceStore> {
  const database = await openDatabase(name);
  return {
    get: (key) => new Promise((resolve, reject) => {
      const reading = database.transaction(tableName, 'readonly').objectStore(tableName).get(key);
      reading.onsuccess = () => resolve(reading.result ?? null);
      reading.onerror = () => reject(failure(name, reading.error));
    }),
    update: (key, change) => update(database, key, change),
    close: () => database.close(),
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (typeof indexedDB === 'undefined') return reject(new CestaError('storage.failed', 'IndexedDB: expected one to record spends in, got none'));
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => void opening.result.createObjectStore(tableName);
    opening.onsuccess = () => {
      // Another tab deletes the database: holding on to it would keep what its owner wants gone.
      opening.result.onversionchange = () => opening.result.close();
      resolve(opening.result);
    };
    opening.onerror = () => reject(failure(name, opening.error));
    opening.onblocked = () => reject(failure(name, null));
  });
}

function update<T>(database: IDBDatabase, key: string, change: (value: unknown) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    // The default may report a write as done that a power cut undoes.
    const transaction = database.transaction(tableName, 'readwrite', { durability: 'strict' });
    const table = transaction.objectStore(tableName);
    let changed: { readonly value: T } | null = null;
    let thrown: unknown = null;
    const reading = table.get(key);
    reading.onsuccess = () => {
      try {
        changed = { value: change(reading.result ?? null) };
        table.put(changed.value, key);
      } catch (cause) {
        thrown = cause;
        transaction.abort();
      }
    };
    transaction.oncomplete = () => (changed === null ? reject(failure(database.name, null)) : resolve(changed.value));
    transaction.onabort = () => reject(thrown instanceof Error ? thrown : failure(database.name, transaction.error));
  });
}

function failure(name: string, cause: DOMException | null): CestaError {
  return new CestaError('storage.failed', `IndexedDB ${name}: ${cause?.message ?? 'expected it to answer, and it did not'}`, { cause });
}
