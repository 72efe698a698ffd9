/** The attributes of `<cesta-shelf>` as a request; what does not fit is the SDK's to refuse. */
import type { RecommendRequest } from '../api.ts';
import type { Surface } from '../../../shared/commerce/preferences.ts';

export const shelfAttributes = ['surface', 'item', 'items', 'limit', 'heading'] as const;
const usualLimit = 8;

/** @param attribute Its value, null where it is not given. */
export function shelfRequest(attribute: (name: (typeof shelfAttributes)[number]) => string | null): RecommendRequest {
  const [surface, item, items] = [attribute('surface'), attribute('item'), attribute('items')];
  return {
    ...(surface === null ? {} : { surface: surface as Surface }),
    ...(item === null ? {} : { item }),
    ...(items === null ? {} : { items: items.split(',').map((id) => id.trim()).filter(Boolean) }),
    limit: Number(attribute('limit') ?? usualLimit),
  };
}

/** Which of its headings a shelf has, when the page gives none. */
export function surfaceOf({ surface, item, items }: RecommendRequest): Surface {
  return surface ?? (item !== undefined ? 'product' : items !== undefined ? 'cart' : 'home');
}
