/**
 * The SDK in this shop: one object for the page. The shop begins at degree 1, in memory and for this visit, so that a shelf can
 * follow what is looked at before anything is asked; where the law wants to be asked first, leave `defaultDegree` out.
 */
import { computed, signal } from '@preact/signals';
import type { EventName } from '../../../../shared/commerce/device-events.ts';
import { createCesta } from '../../../../client/storefront/cesta.ts';
import { notice } from './notice.ts';
import { loadProducts } from './products.ts';
import { startAccount } from './traffic.ts';

export const cesta = createCesta({
  url: '/cesta',
  shop: document.documentElement.dataset['shop'] ?? null,
  notice,
  defaultDegree: 1,
  takePart: { workerUrl: startAccount() },
});

/** Whether there is a model to rank with. */
export const isReady = signal(false);

const changes = signal(0);
cesta.subscribe(() => void (changes.value += 1));
/** As the SDK has it, again after every change. */
export const privacy = computed(() => (void changes.value, cesta.privacy));

/** What `shelf` finds now, and after each change again; nothing before there is a model. */
export function ranked<T>(shelf: () => readonly T[]): readonly T[] {
  void changes.value;
  return isReady.value ? shelf() : [];
}

export function track(event: EventName, ids: readonly { readonly id: string; readonly quantity?: number }[]): void {
  cesta.track(event, ids.map(({ id, quantity = 1 }) => ({ item_id: id, quantity })));
}

const retryMs = 2_000;

/** In a federation that has just begun there is neither catalogue nor model: asked for until there is. */
export async function openShop(): Promise<void> {
  await tryUntilDone(() => loadProducts('/cesta/v1/catalogue'));
  await cesta.ready.catch(() => tryUntilDone(() => cesta.refresh()));
  isReady.value = true;
  // Whoever comes back to this tab may have seen a newer model released in another.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void cesta.refresh().catch(() => undefined));
}

async function tryUntilDone(attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}
