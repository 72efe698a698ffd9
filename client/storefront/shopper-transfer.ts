/** Access and portability: everything about the shopper that this device holds, and the way of it into another. */
import { CestaError } from '../../shared/protocol/errors.ts';
import type { ShopperExport } from './api.ts';
import { deviceDatabase } from './device-constants.ts';
import { readMeasured } from './forget-measured.ts';
import { heldOnDevice } from './held-on-device.ts';
import { withForeignSettings, withInterests } from './profile.ts';
import { importable } from './profile-file.ts';
import { changeSettings } from './shopper-rounds.ts';
import { apply, databaseNames, maxDeltaOf, nowOf, type ShopperState } from './shopper-state.ts';

export async function exportOf(state: ShopperState): Promise<ShopperExport> {
  await state.opening;
  const { degree, store } = state;
  // What another tab changed last may not be in memory yet.
  const { events, unwanted, settings, receipts } = (await store?.read().catch(() => null)) ?? state.all;
  const tookPart = (await databaseNames())?.includes(deviceDatabase) !== false;
  const held = !tookPart ? null : await heldOnDevice({ maxEpsilon: settings.maxEpsilon, maxDelta: maxDeltaOf(state) });
  return {
    format: 'cesta/shopper/1',
    exportedAt: new Date(nowOf(state)).toISOString(),
    degree,
    interests: { events, unwanted },
    settings,
    consentReceipts: receipts.map(({ receipt }) => receipt),
    spends: held?.spends ?? [],
    roundReceipts: held?.receipts ?? [],
    measured: await readMeasured(),
  };
}

/** @throws CestaError `consent.needed`, `data.unreadable` */
export async function importInto(state: ShopperState, exported: unknown): Promise<void> {
  const { interests, settings } = importable(exported, nowOf(state));
  await state.opening;
  if (state.degree < 1) throw new CestaError('consent.needed', `degree: expected at least 1, which lets this page hold a history, got ${state.degree}`);
  apply(state, withInterests(interests, nowOf(state)));
  // What was shown elsewhere counts at once.
  state.before = state.all.events;
  changeSettings(state, withForeignSettings(settings));
  await state.saving;
}
