/**
 * What a device keeps of what a shopper did. The schema is closed: an event, an item, how many, and the hour; no name, mail,
 * place, price paid, referrer or address has a field here. Plain checks, no schema library: a page loads this at once.
 */

/** GA4 ecommerce events that a storefront tracks. */
export const deviceEventNames = [
  'view_item_list', 'select_item', 'view_item', 'add_to_wishlist', 'add_to_cart', 'remove_from_cart', 'view_cart', 'begin_checkout', 'purchase', 'refund', 'search',
] as const;
export type EventName = (typeof deviceEventNames)[number];

/** As a storefront gives it; GA4's other fields are read by nobody. */
export interface TrackedItem {
  readonly item_id: string;
  readonly quantity?: number;
}

export interface StoredEvent {
  readonly event: EventName;
  readonly item_id: string;
  readonly quantity?: number;
  /** Unix time in whole hours. */
  readonly hour: number;
}

export interface Interests {
  readonly events: readonly StoredEvent[];
  /** Item ids that the shopper said they do not want to see. */
  readonly unwanted: readonly string[];
}
