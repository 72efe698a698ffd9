/** Making elements without inline script or style, so that a strict Content-Security-Policy has nothing to say. */

type Child = Node | string;
type Attribute = string | number | boolean | null | ((event: Event) => void);

/**
 * `on...` listens, `true` is an attribute without a value, `false` and null are none. Text is text: nothing is parsed as HTML.
 * @example
 * make('button', { type: 'button', onclick: close }, 'Close');
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Readonly<Record<string, Attribute>> = {}, ...children: readonly Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** `{item}` in a text becomes an element of its own, whose direction is that of its words. */
export function around(text: string, placeholder: string, content: string): Child[] {
  const [before, after] = text.split(placeholder);
  return after === undefined ? [before] : [before, make('bdi', {}, content), after];
}

/** A stylesheet that `style-src 'self'` permits. */
export function stylesheet(rules: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  return sheet;
}

/** The open shadow root of an element, emptied: an element that moves in the page is made anew. */
export function emptyRoot(host: HTMLElement): ShadowRoot {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  root.replaceChildren();
  return root;
}

/** What a page hears, beyond the shadow root. Returns whether it let the widget go on. */
export function announce(host: HTMLElement, name: 'cesta-select' | 'cesta-error' | 'cesta-privacy-open', detail?: unknown): boolean {
  return host.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail }));
}

/** Runs once after the calls of one task, however many there are. */
export function coalesced(run: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      run();
    });
  };
}
