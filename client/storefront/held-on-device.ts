/**
 * What this origin's device has on record about taking part: for whoever shows it to the shopper. Reads only, whether or not the
 * device takes part just now.
 */
import type { SignedReceipt } from '../../shared/ledger/receipt.ts';
import { totalSpent, type Spend, type SpendLimits, type Spent } from '../spends.ts';
import { deviceName } from './device.ts';
import { deviceDatabase } from './device-constants.ts';
import { hasKey, openDeviceRecords } from './device-records.ts';
import { openDeviceStore } from './device-store.ts';

export interface HeldOnDevice {
  /** As the coordinator knows this device. */
  readonly name: string;
  /** Pinned; null before first contact. */
  readonly coordinatorKey: string | null;
  /** Of all visits; epsilon is infinite once anything was reported without privacy. */
  readonly spent: Spent;
  readonly spends: readonly Spend[];
  readonly receipts: readonly SignedReceipt[];
}

/**
 * Null on a device that never took part.
 * @throws CestaError `storage.failed`
 * @example
 * const held = await heldOnDevice();
 */
export async function heldOnDevice(limits: Partial<SpendLimits> = {}): Promise<HeldOnDevice | null> {
  const store = await openDeviceStore(deviceDatabase);
  try {
    if (!(await hasKey(store))) return null;
    const records = await openDeviceRecords(store);
    const record = await records.spends.read();
    return { name: deviceName(records.key.publicKey), coordinatorKey: records.coordinatorKey, spent: totalSpent(record, limits), spends: record.spends, receipts: await records.receipts.read() };
  } finally {
    store.close();
  }
}
