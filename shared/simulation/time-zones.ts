/** Where virtual shops are, as far as it decides when their shoppers sleep: hours to add to UTC, in standard time all year. */
import { hashedUniform } from '../numerics/hashed-random.ts';
import { hashName } from '../numerics/random.ts';

/** The countries of the embedded data, as it spells them; of several zones the one most people live in. */
const hoursOfCountry = new Map<string, number>(Object.entries({
  'Australia': 10, 'Austria': 1, 'Bahrain': 3, 'Belgium': 1, 'Brazil': -3, 'Canada': -5, 'Channel Islands': 0, 'Cyprus': 2,
  'Czech Republic': 1, 'Denmark': 1, 'EIRE': 0, 'European Community': 1, 'Finland': 2, 'France': 1, 'Germany': 1, 'Greece': 2,
  'Iceland': 0, 'Israel': 2, 'Italy': 1, 'Japan': 9, 'Lebanon': 2, 'Lithuania': 2, 'Malta': 1, 'Netherlands': 1, 'Norway': 1,
  'Poland': 1, 'Portugal': 0, 'RSA': 2, 'Saudi Arabia': 3, 'Singapore': 8, 'Spain': 1, 'Sweden': 1, 'Switzerland': 1,
  'USA': -5, 'United Arab Emirates': 4, 'United Kingdom': 0,
}));

/** An assumption: a federation of mostly European shops, a sixth of them overseas. */
const zones: readonly { readonly hours: number; readonly share: number }[] = [
  { hours: 1, share: 0.5 }, { hours: 0, share: 0.2 }, { hours: 2, share: 0.13 }, { hours: -5, share: 0.1 }, { hours: -8, share: 0.04 }, { hours: 9, share: 0.03 },
];

/** Of a shop whose country is known; any other name counts as UTC. */
export function hoursInCountry(country: string): number {
  return hoursOfCountry.get(country) ?? 0;
}

/** Of a shop that could be anywhere: drawn once, by seed and shop. */
export function hoursAnywhere(shop: number, seed: number): number {
  let left = hashedUniform(hashName(seed, 'time zones'), shop);
  for (const { hours, share } of zones) {
    if (left < share) return hours;
    left -= share;
  }
  return zones[0].hours;
}
