/** What a page imports, and loads at once. What verifies and ranks comes after it, what trains when somebody takes part. */
import type { HeldOnDevice } from './held-on-device.ts';
import type { SpendLimits } from '../spends.ts';

export type * from './api.ts';
export { createCesta } from './cesta.ts';
export { createShopper } from './shopper.ts';
export { memoryStorage, webStorage } from './storage.ts';

/** As `heldOnDevice` of held-on-device.ts, whose accountant only those load who ask. */
export async function heldOnDevice(limits: Partial<SpendLimits> = {}): Promise<HeldOnDevice | null> {
  const held = await import('./held-on-device.ts');
  return held.heldOnDevice(limits);
}
