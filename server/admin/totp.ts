/** One-time codes by time (RFC 6238): SHA-1, six digits, steps of 30 seconds, which is what every authenticator takes. */
import { Secret, TOTP } from 'otpauth';

export const totpSecretBytes = 20;
const settings = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Steps by which the clocks of both sides may be apart. */
const window = 1;

/**
 * The step whose code this is, or null when it is that of no step around now.
 * @param dateMs Unix milliseconds
 */
export function totpStep(secret: Uint8Array, code: string, dateMs: number): number | null {
  // The library throws for other digits than ours.
  if (!/^[0-9]{6}$/.test(code)) return null;
  const delta = TOTP.validate({ ...settings, secret: secretOf(secret), token: code, timestamp: dateMs, window });
  return delta === null ? null : TOTP.counter({ period: settings.period, timestamp: dateMs }) + delta;
}

/** What an authenticator reads, as text or as a QR code. */
export function otpauthUri(secret: Uint8Array, account: string): string {
  return new TOTP({ ...settings, issuer: 'Cesta', label: account, secret: secretOf(secret) }).toString();
}

/** A copy: a slice of a pool would bring the whole pool along. */
function secretOf(bytes: Uint8Array): Secret {
  return new Secret({ buffer: Uint8Array.from(bytes).buffer });
}
