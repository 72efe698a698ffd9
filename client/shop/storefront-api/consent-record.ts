/** A consent in the words of a record: what each degree means is said here once, and stands in every receipt. */
import type { Degree } from '../../../shared/commerce/consent.ts';
import { purposesOf, type ConsentRecord } from '../../../shared/commerce/consent-receipt.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { About } from './about.ts';

export interface ConsentChoice {
  readonly recordId: string;
  readonly principal: string;
  readonly degree: Exclude<Degree, 0>;
  /** Version. */
  readonly notice: string;
  readonly gpc: boolean;
  /** ISO 8601. */
  readonly time: string;
  readonly retentionDays: number;
}

/** @throws CestaError `consent.notice` unless the notice is the one in force */
export function makeConsentRecord({ controller, notices, processors }: About, { recordId, principal, degree, notice: version, gpc, time, retentionDays }: ConsentChoice): ConsentRecord {
  const notice = notices[notices.length - 1];
  if (version !== notice.version) throw new CestaError('consent.notice', `notice: expected the one in force, ${notice.version}, got ${JSON.stringify(version)}`);
  return {
    schema_version: 'cesta/consent/1',
    record_id: recordId,
    principal,
    controller,
    notice,
    degree,
    purposes: purposesOf(degree),
    lawful_basis: 'consent',
    pii_information: ['events in this shop: name, item, quantity, hour'],
    collection_method: 'what the shopper does in this shop',
    storage_location: storageOf(degree, retentionDays),
    retention_period: degree === 1 ? 'PT0S' : `P${retentionDays}D`,
    recipients: [...processors.map(({ name }) => name), ...(degree === 3 ? ['the federation: sums of many shoppers under noise, never single events'] : [])],
    withdrawal_method: `DELETE /v1/consents/${recordId} with the secret that came with this receipt, or degree 0 in the privacy panel`,
    privacy_rights: ['access', 'portability', 'rectification', 'erasure', 'withdrawal', 'complaint to a supervisory authority'],
    gpc,
    events: [{ kind: 'given', degree, time }],
  };
}

function storageOf(degree: Exclude<Degree, 0>, retentionDays: number): string {
  return degree === 1 ? 'memory of the page' : `the device; what the shop's own server reports, encrypted at the shop for at most ${retentionDays} days`;
}
