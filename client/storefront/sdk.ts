/** What a page imports: ranking, and taking part. The parts that train are in the worker, and loaded when somebody does. */
import type { HeldOnDevice } from './held-on-device.ts';
import type { SpendLimits } from '../spends.ts';

export { createCesta } from './cesta.ts';
export { createShopper } from './shopper.ts';
export { memoryStorage, webStorage } from './storage.ts';
export { takePart } from './take-part.ts';

/** As `heldOnDevice` of held-on-device.ts, whose accountant only those load who ask. */
export async function heldOnDevice(limits: Partial<SpendLimits> = {}): Promise<HeldOnDevice | null> {
  const held = await import('./held-on-device.ts');
  return held.heldOnDevice(limits);
}
