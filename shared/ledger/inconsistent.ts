/** What a log that contradicts itself is refused with. */
import { CestaError } from '../protocol/errors.ts';

export function inconsistent(what: string): CestaError {
  return new CestaError('log.inconsistent', `log: ${what}`);
}
