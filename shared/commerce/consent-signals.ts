/**
 * How far signals of the browser and of a consent tool let a degree go: Global Privacy Control (W3C), Google Consent Mode v2 and
 * IAB TCF 2.2, read only. A signal never raises a degree. What cannot be told apart here, such as the region a default is for,
 * counts as the stricter of both.
 */
import type { Degree } from './consent.ts';

/** Which signal holds a degree down. */
export type SignalName = 'gpc' | 'consent-mode' | 'tcf';

export interface SignalCap {
  readonly degree: Degree;
  readonly by: SignalName;
  /** Undecided holds the degree down as well, but what the device keeps is not erased for it. */
  readonly isDecided: boolean;
}

/** Global Privacy Control opts out of whatever others gain from: the device's own memory is left. */
export function capOfGpc(isOn: boolean): SignalCap | null {
  return isOn ? { degree: 2, by: 'gpc', isDecided: true } : null;
}

/** What `gtag('consent', ...)` said about `personalization_storage`, if that is what this entry of a `dataLayer` is. */
export interface ConsentCommand {
  readonly isDenied: boolean;
  /** How long a default waits for the choice that a consent tool remembers; 0 for a choice. */
  readonly waitMs: number;
}

/** Without `wait_for_update`, tags wait as long as Google's own documentation has it. */
const usualWaitMs = 500;

/** `gtag` pushes its arguments: an object with indexes. Null for every other entry. */
export function consentCommand(entry: unknown): ConsentCommand | null {
  const [command, kind, state] = [0, 1, 2].map((index) => fieldOf(entry, index));
  const storage = fieldOf(state, 'personalization_storage');
  if (command !== 'consent' || (kind !== 'default' && kind !== 'update') || (storage !== 'denied' && storage !== 'granted')) return null;
  const wait = fieldOf(state, 'wait_for_update');
  return { isDenied: storage === 'denied', waitMs: kind === 'update' ? 0 : typeof wait === 'number' && wait >= 0 ? wait : usualWaitMs };
}

/** 1 device storage · 5 and 6 personalised content · 10 develop and improve: missing ones hold down, where the GDPR applies. */
export function capOfTcf(data: unknown): SignalCap | null {
  if (fieldOf(data, 'gdprApplies') === false) return null;
  const consents = fieldOf(fieldOf(data, 'purpose'), 'consents');
  const has = (purpose: number): boolean => fieldOf(consents, purpose) === true;
  // While the tool still asks, nothing is decided.
  const isDecided = fieldOf(data, 'eventStatus') !== 'cmpuishown';
  if (!has(1) || (!has(5) && !has(6))) return { degree: 1, by: 'tcf', isDecided };
  return has(10) ? null : { degree: 2, by: 'tcf', isDecided };
}

/** The one that holds down most; null when none does. */
export function strictest(caps: readonly (SignalCap | null)[]): SignalCap | null {
  return caps.reduce((least, cap) => (cap !== null && (least === null || cap.degree < least.degree) ? cap : least), null);
}

function fieldOf(value: unknown, field: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string | number, unknown>>)[field] : undefined;
}
