/**
 * Where a storefront keeps public documents between visits: the pinned key, the release, the catalogue. Nothing
 * about a shopper is ever written here.
 */

export interface StorefrontStorage {
  get(key: string): Promise<Uint8Array | null>;
  set(key: string, value: Uint8Array): Promise<void>;
}

/** Gone with the page: the key is then trusted anew, and everything fetched again, at every visit. */
export function memoryStorage(): StorefrontStorage {
  const values = new Map<string, Uint8Array>();
  return {
    get: (key) => Promise.resolve(values.get(key) ?? null),
    set: (key, value) => Promise.resolve(void values.set(key, value)),
  };
}

/**
 * `localStorage` or `sessionStorage`; bytes are kept as base64. Browsers give about five megabytes an origin: a
 * larger release is fetched at every visit, and `lastError` says so.
 * @example
 * const cesta = createCesta({ url: '/cesta', storage: webStorage(localStorage) });
 */
export function webStorage(area: Pick<Storage, 'getItem' | 'setItem'>): StorefrontStorage {
  return {
    get: (key) => new Promise((resolve) => {
      const text = area.getItem(key);
      resolve(text === null ? null : fromBase64(text));
    }),
    set: (key, value) => new Promise((resolve) => resolve(area.setItem(key, toBase64(value)))),
  };
}

/** Pieces: arguments of one call are limited. */
const pieceBytes = 8_192;

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += pieceBytes) binary += String.fromCharCode(...bytes.subarray(start, start + pieceBytes));
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Not ours, or damaged: the same as absent, since it is fetched again.
    return null;
  }
}
