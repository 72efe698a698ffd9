/** Notes which cards of a shelf were really on the screen, each once a page, as `view_item_list`. */
import type { Cesta } from '../api.ts';

export interface Impressions {
  readonly watch: (cards: readonly HTMLElement[]) => void;
  readonly close: () => void;
}

/** Half a card is enough to have been shown. */
const shown = 0.5;

export function noteImpressions(cesta: Cesta): Impressions {
  const noted = new Set<string>();
  const observer = new IntersectionObserver((entries) => {
    const visible = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target as HTMLElement);
    for (const card of visible) observer.unobserve(card);
    const items = visible.map(({ dataset }) => dataset['item'] ?? '').filter((id) => !noted.has(id));
    // Nothing is kept at degree 0; what is on the screen still when that changes is noted then.
    if (cesta.privacy.degree === 0) return noted.clear();
    for (const id of items) noted.add(id);
    if (items.length > 0) cesta.track('view_item_list', items.map((item_id) => ({ item_id })));
  }, { threshold: shown });
  return {
    watch: (cards) => cards.forEach((card) => observer.observe(card)),
    close: () => observer.disconnect(),
  };
}
