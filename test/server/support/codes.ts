/** One-time codes, as an operator's authenticator makes them. */
import { TOTP, URI } from 'otpauth';

/** @param dateMs Unix milliseconds */
export function codeOf(otpauth: string, dateMs: number): string {
  const totp = URI.parse(otpauth);
  if (!(totp instanceof TOTP)) throw new Error(`expected the secret of codes by time, got ${otpauth}`);
  return totp.generate({ timestamp: dateMs });
}
