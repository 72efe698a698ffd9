/** What reports to experiments have spent on this device, without the code that makes them: rounds have the rest of the bound. */
import { fieldsOf } from '../../shared/commerce/device-events.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { measureDatabase, measureRecord } from './device-constants.ts';
import { openDeviceStore } from './device-store.ts';

/** @throws CestaError `storage.failed`, also for a record that does not tell: it is no record of nothing */
export async function reportsSpent(): Promise<number> {
  const store = await openDeviceStore(measureDatabase);
  try {
    const record = await store.get(measureRecord);
    return record === null ? 0 : epsilonOf(record);
  } finally {
    store.close();
  }
}

function epsilonOf(record: unknown): number {
  const { epsilonSpent } = fieldsOf(record);
  if (typeof epsilonSpent !== 'number' || !(epsilonSpent >= 0)) throw new CestaError('storage.failed', `device records, ${measureRecord}: expected epsilonSpent of at least 0, got ${JSON.stringify(epsilonSpent)}`);
  return epsilonSpent;
}
