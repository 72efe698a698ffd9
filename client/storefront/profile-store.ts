/**
 * The profile on the device: one value of IndexedDB, sealed with AES-256-GCM under a key of WebCrypto that no script can export.
 *
 * Security: what is on the disk shows no item to whoever searches it, before or after it was erased. The key lies in the same
 * database, so that whoever takes the whole browser profile can open it, and any script of the page's origin can ask for it.
 */
import { CestaError } from '../../shared/protocol/errors.ts';
import { openDeviceStore, type DeviceStore } from './device-store.ts';
import { emptyProfile, type Change, type Profile } from './profile.ts';
import { profileOf } from './profile-file.ts';

export interface ProfileStore {
  /** As it was when the store was opened. */
  readonly opened: Profile;
  /** Applied in turn, nobody else in between; resolves when it is on disk. @throws CestaError `storage.failed` */
  change(change: Change): Promise<void>;
  /** What is on disk, with all changes that were asked for before. @throws CestaError `storage.failed` */
  read(): Promise<Profile>;
  close(): void;
}

interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly bytes: ArrayBuffer;
}

/**
 * `onOther` hears of every change that another tab, or another store of this one, has put on disk.
 * @throws CestaError `storage.failed`, also in a page without TLS: such have no WebCrypto
 */
export async function openProfileStore(name: string, onOther: () => void = () => undefined): Promise<ProfileStore> {
  const { crypto, navigator } = globalThis as { readonly crypto?: Partial<Crypto>; readonly navigator?: Partial<Navigator> };
  if (crypto?.subtle === undefined || navigator?.locks === undefined) throw new CestaError('storage.failed', 'device: expected a page of https: or of this machine, whose storage can be sealed, got another');
  const store = await openDeviceStore(name);
  const { locks } = navigator;
  try {
    const key = await keyOf(store);
    const waiting: Change[] = [];
    let isClosed = false;
    // Listens before it reads: nothing falls in between. Says that something changed, and never what.
    const others = new BroadcastChannel(name);
    others.onmessage = onOther;
    const opened = await locks.request(name, () => read(store, key)).catch((thrown: unknown) => {
      others.close();
      throw thrown;
    });
    return {
      opened,
      change(change) {
        waiting.push(change);
        return locks.request(name, async () => {
          // Whoever is first writes for all that wait behind.
          const changes = waiting.splice(0);
          if (changes.length === 0) return;
          await write(store, key, changes.reduce((profile, next) => next(profile), await read(store, key)));
          if (!isClosed) others.postMessage(null);
        });
      },
      read: () => locks.request(name, async () => {
        const profile = await read(store, key);
        return waiting.reduce((changed, next) => next(changed), profile);
      }),
      close() {
        isClosed = true;
        others.close();
        store.close();
      },
    };
  } catch (thrown) {
    store.close();
    throw thrown;
  }
}

async function keyOf(store: DeviceStore): Promise<CryptoKey> {
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const key = await store.update('key', (kept) => kept ?? fresh);
  if (!(key instanceof CryptoKey)) throw new CestaError('storage.failed', 'device, key: expected one of WebCrypto, got something else');
  return key;
}

async function read(store: DeviceStore, key: CryptoKey): Promise<Profile> {
  const sealed = (await store.get('profile')) as Sealed | null;
  if (sealed === null) return emptyProfile;
  try {
    return profileOf(JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv }, key, sealed.bytes))));
  } catch (cause) {
    throw new CestaError('storage.failed', 'device, profile: expected what this device sealed, got something else', { cause });
  }
}

async function write(store: DeviceStore, key: CryptoKey, profile: Profile): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const bytes = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(JSON.stringify(profile)));
  await store.update('profile', (): Sealed => ({ iv, bytes }));
}
