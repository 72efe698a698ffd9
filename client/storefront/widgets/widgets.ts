/**
 * The widgets as a page imports them: `<cesta-shelf>` and `<cesta-privacy>`, plain custom elements that work under a policy
 * without inline script or style. They show what the SDK says and ask it for what the shopper wants; they keep nothing themselves.
 * @example
 * import { createCesta } from 'cesta/storefront';
 * import { defineWidgets } from 'cesta/storefront/widgets';
 *
 * defineWidgets(createCesta({ url: '/cesta' }));
 * document.body.append(document.createElement('cesta-shelf'), document.createElement('cesta-privacy'));
 * @module cesta/storefront/widgets
 */
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { Cesta } from '../api.ts';
import type { Mounted, WidgetContext, WidgetOptions } from './context.ts';
import { mountPrivacy } from './privacy-element.ts';
import { shelfAttributes } from './shelf-request.ts';
import { mountShelf } from './shelf.ts';
import type { ShortNotice } from './texts/texts.ts';

export type { WidgetFormat, WidgetOptions } from './context.ts';
export type { ShortNotice } from './texts/texts.ts';

/** A notice that takes longer to read is read by nobody. */
const maxNoticeWords = 60;

/**
 * Gives a page its elements; once a page.
 * @example
 * defineWidgets(createCesta({ url: '/cesta' }), { format: { link: (id) => `/products/${id}` } });
 * @throws CestaError `usage.invalid` for a notice of more than 60 words
 */
export function defineWidgets(cesta: Cesta, options: WidgetOptions = {}): void {
  for (const [language, notice] of Object.entries(options.notices ?? {})) requireShort(language, notice);
  const context: WidgetContext = { cesta, options, titles: new Map() };
  const mounted = new Set<() => void>();
  // A page that changes its language has its widgets made again in it.
  new MutationObserver(() => mounted.forEach((remount) => remount())).observe(document.documentElement, { attributeFilter: ['lang', 'dir'] });
  customElements.define('cesta-shelf', elementOf((host) => mountShelf(host, context), shelfAttributes, mounted));
  customElements.define('cesta-privacy', elementOf((host) => mountPrivacy(host, context), [], mounted));
}

/** A class made here, and not at the top: outside a browser the module can be loaded, and there is nothing to extend. */
function elementOf(mount: (host: HTMLElement) => Mounted, attributes: readonly string[], all: Set<() => void>): CustomElementConstructor {
  return class extends HTMLElement {
    static readonly observedAttributes = attributes;
    #mounted: Mounted | null = null;

    readonly #remount = (): void => {
      this.#mounted?.unmount();
      this.#mounted = mount(this);
    };

    connectedCallback(): void {
      this.#remount();
      all.add(this.#remount);
    }

    disconnectedCallback(): void {
      all.delete(this.#remount);
      this.#mounted?.unmount();
      this.#mounted = null;
    }

    attributeChangedCallback(): void {
      this.#mounted?.update();
    }
  };
}

/** Of a short notice, all of its texts. */
export function wordCount({ what, why, where }: ShortNotice): number {
  return [what, why, where].join(' ').split(/\s+/).filter(Boolean).length;
}

function requireShort(language: string, notice: ShortNotice): void {
  const words = wordCount(notice);
  if (words > maxNoticeWords) throw new CestaError('usage.invalid', `notices.${language}: expected at most ${maxNoticeWords} words, got ${words}`);
}
