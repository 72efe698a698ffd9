/** Changes to a shopper's settings, from wherever they come. */
import { CestaError, requireNumber } from '../protocol/errors.ts';
import type { ShopperSettings } from './preferences.ts';

/** Beyond it a bound protects from next to nothing. */
const greatestEpsilon = 100;

/**
 * These settings with those changes, which may come from anywhere; fields that are no setting are passed over.
 * @throws CestaError `usage.invalid`
 */
export function changedSettings(settings: ShopperSettings, changes: unknown): ShopperSettings {
  if (typeof changes !== 'object' || changes === null) throw new CestaError('usage.invalid', `settings: expected an object, got ${JSON.stringify(changes)}`);
  const { diversity, surfaces: places, channels: ways, maxEpsilon } = changes as Readonly<Record<keyof ShopperSettings, unknown>>;
  return {
    diversity: numberOf('diversity', diversity, settings.diversity, 0, 1),
    surfaces: switchesOf('surfaces', places, settings.surfaces),
    channels: switchesOf('channels', ways, settings.channels),
    maxEpsilon: numberOf('maxEpsilon', maxEpsilon, settings.maxEpsilon, 0.01, greatestEpsilon),
  };
}

function numberOf(field: string, value: unknown, before: number, min: number, max: number): number {
  return value === undefined ? before : requireNumber(field, typeof value === 'number' ? value : NaN, min, max, 'usage.invalid');
}

function switchesOf<Name extends string>(field: string, value: unknown, before: Readonly<Record<Name, boolean>>): Readonly<Record<Name, boolean>> {
  if (value === undefined) return before;
  const given = (typeof value === 'object' ? value : null) as Readonly<Record<string, unknown>> | null;
  return Object.fromEntries(Object.entries(before).map(([name, isOn]) => {
    const wanted = given?.[name] ?? isOn;
    if (given === null || typeof wanted !== 'boolean') throw new CestaError('usage.invalid', `${field}: expected true or false for each of ${Object.keys(before).join(', ')}, got ${JSON.stringify(value)}`);
    return [name, wanted];
  })) as Record<Name, boolean>;
}
