/** Holds campaigns to the policy of a shop: by what they offer, and by what their audiences are picked by. */
import type { Product } from '../../../../shared/commerce/catalogue.ts';
import type { Campaign, CampaignFile } from '../../../../shared/commerce/campaigns.ts';
import { enforcePolicy } from '../../../../shared/policy/checks.ts';
import type { Policy } from '../../../../shared/policy/policy.ts';

/** A policy, and the products by whose categories it is applied: all of the shop's, those of banned categories among them. */
export interface ShopPolicy {
  readonly lines: Policy;
  readonly products: readonly Product[];
}

/** @throws CestaError `policy.violated` naming the campaign, and the line of the policy */
export function requirePermitted({ campaigns }: CampaignFile, { lines, products }: ShopPolicy): void {
  const categories = new Map(products.map(({ id, category }) => [id, category]));
  for (const campaign of campaigns) enforcePolicy(lines, { categories: [...itemsOf(campaign).flatMap((id) => categories.get(id) ?? []), ...prefixesOf(campaign)] }, `campaign ${campaign.id}`);
}

function itemsOf({ items, audience: { all, none } }: Campaign): string[] {
  return [...items, ...[...all, ...none].flatMap((condition) => (condition.kind === 'viewed' || condition.kind === 'bought' ? condition.items : []))];
}

function prefixesOf({ audience: { all, none } }: Campaign): string[] {
  return [...all, ...none].flatMap((condition) => (condition.kind === 'category' ? [condition.prefix] : []));
}
