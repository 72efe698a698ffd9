/** What `--robust`, `--byzantine` and `--groups` say together. */
import type { RobustRule, RobustSpec } from '../../shared/federation/robust/rule.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface RobustOptions {
  readonly robust?: RobustRule | undefined;
  readonly byzantine?: number | undefined;
  readonly groups?: number | undefined;
}

/** @throws CestaError `usage.invalid` for numbers without a rule */
export function robustOf({ robust, byzantine, groups }: RobustOptions): { readonly robust?: RobustSpec } {
  const stray = byzantine !== undefined ? '--byzantine' : groups !== undefined ? '--groups' : null;
  if (robust === undefined && stray !== null) throw new CestaError('usage.invalid', `${stray}: expected --robust with it, got none`);
  return robust === undefined ? {} : { robust: { rule: robust, byzantine: byzantine ?? 1, ...(groups === undefined ? {} : { groups }) } };
}
