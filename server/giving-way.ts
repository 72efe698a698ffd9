/** Long work on the event loop, with a pause now and then. */
import { setImmediate } from 'node:timers/promises';
import type { SecaggCrypto } from '../shared/secagg/crypto.ts';

/** Keystream after which others get their turn: some ten milliseconds of work. */
const turnBytes = 1 << 24;

/** The same primitives, but for a pause now and then: taking masks off takes seconds, and heartbeats cannot wait. */
export function givingWay(primitives: SecaggCrypto): SecaggCrypto {
  let bytes = 0;
  return {
    ...primitives,
    keystream(key) {
      const stream = primitives.keystream(key);
      return {
        async read(byteLength) {
          bytes += byteLength;
          if (bytes >= turnBytes) {
            bytes = 0;
            await setImmediate();
          }
          return stream.read(byteLength);
        },
      };
    },
  };
}
