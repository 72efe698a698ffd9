/** What of a shop's data its node may use: by its policy, and by how long events are kept. */
import type { Logger } from 'pino';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { restrict, type Restricted } from '../../shared/datasets/restrict.ts';
import { enforcePolicy, factsOfProducts, isAllowed } from '../../shared/policy/checks.ts';
import type { JurisdictionName } from '../../shared/policy/jurisdictions.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { readPolicy } from '../policy-file.ts';

interface DataRules {
  readonly policy?: string;
  readonly jurisdiction?: JurisdictionName;
  readonly retentionDays?: number;
  readonly maxEpsilon: number;
  readonly maxDelta: number;
  readonly unprotected?: boolean;
}

const secondsPerDay = 86_400;

/** What of the data may be used, now: time goes on, and with it what is too old. */
export interface PermittedData {
  readonly dataset: () => Dataset;
  readonly policy?: Policy;
}

/**
 * Products of banned categories and events that are too old are left out before anything reads them.
 * @param nowMs Unix time
 * @throws CestaError `policy.violated` for settings outside of the policy, or products with a banned field
 */
export function permittedData(rules: DataRules, data: Dataset, logger: Logger, nowMs: () => number = Date.now): PermittedData {
  const policy = rules.policy === undefined ? undefined : readPolicy(rules.policy);
  const { dataset: allowed, products } = restrict(data, policy === undefined ? {} : { isAllowed: (product) => isAllowed(policy, product) });
  const { retentionDays } = rules;
  const recent = (): Restricted => restrict(allowed, retentionDays === undefined ? {} : { since: nowMs() / 1000 - retentionDays * secondsPerDay });
  const { visits } = recent();
  if (products > 0 || visits > 0) logger.info({ products, visits }, 'left out of the data: products of banned categories, and what is older than it may be');
  const dataset = retentionDays === undefined ? () => allowed : () => recent().dataset;
  if (policy === undefined) return { dataset };
  const unlimited = rules.unprotected === true;
  enforcePolicy(policy, {
    epsilon: unlimited ? Infinity : rules.maxEpsilon,
    delta: unlimited ? 1 : rules.maxDelta,
    retentionDays: retentionDays ?? Infinity,
    jurisdiction: rules.jurisdiction ?? null,
    fields: factsOfProducts(allowed.catalogue.products).fields,
  }, 'join');
  return { dataset, policy };
}
