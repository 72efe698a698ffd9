/** Reads a policy file, and says what of it a start decides. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { allowedCatalogue, enforcePolicy, factsOfProducts } from '../shared/policy/checks.ts';
import type { Accountability } from '../shared/policy/accountability.ts';
import { parsePolicy, type Policy } from '../shared/policy/policy.ts';
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { CestaError } from '../shared/protocol/errors.ts';

/** @throws CestaError `data.not-found`, `config.invalid` with the line */
export function readPolicy(path: string): Policy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CestaError('data.not-found', `--policy: expected a file that can be read, got ${path}`, { cause });
  }
  return parsePolicy(basename(path), text);
}

/**
 * What of the policy a coordinator's settings decide, beside its tasks, and the catalogue without banned categories.
 * @throws CestaError `policy.violated`
 */
export function withinPolicy<T extends Catalogue | undefined>(policy: Policy | undefined, { jurisdiction, processors }: Pick<Accountability, 'jurisdiction' | 'processors'>, catalogue: T): T {
  if (policy === undefined) return catalogue;
  const allowed = catalogue === undefined ? undefined : allowedCatalogue(policy, catalogue);
  const { fields } = factsOfProducts(allowed?.products ?? []);
  enforcePolicy(policy, { jurisdiction, processors: processors.map(({ name }) => name), fields }, 'serve');
  return allowed as T;
}
