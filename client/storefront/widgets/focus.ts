/**
 * Keeps the keyboard's place while controls are made anew or change their order. A control is known by its `data-key`, such as
 * `hide:sku-7`: the kind of the control, and what it is about.
 */

/** The same control if it is still there, else the one of its kind in its place, else the last of its kind. */
export function nextKey(before: readonly string[], focused: string, after: readonly string[]): string | null {
  if (after.includes(focused)) return focused;
  const ofKind = (keys: readonly string[]): string[] => keys.filter((key) => kindOf(key) === kindOf(focused));
  const left = ofKind(after);
  return left[Math.min(ofKind(before).indexOf(focused), left.length - 1)] ?? null;
}

/** @param otherwise Gets the focus when nothing of its kind is left. */
export function keepFocus(root: ShadowRoot, otherwise: HTMLElement, render: () => void): void {
  const { activeElement } = root;
  const focused = activeElement?.getAttribute('data-key') ?? null;
  const before = focused === null ? [] : keysOf(root);
  render();
  // Elements that only moved lose the focus too.
  if (focused === null || root.activeElement === activeElement) return;
  const next = nextKey(before, focused, keysOf(root));
  const control = [...root.querySelectorAll<HTMLElement>('[data-key]')].find((element) => element.dataset['key'] === next);
  (control ?? otherwise).focus({ preventScroll: true });
}

function keysOf(root: ShadowRoot): string[] {
  return [...root.querySelectorAll<HTMLElement>('[data-key]')].map((element) => element.dataset['key'] ?? '');
}

function kindOf(key: string): string {
  return key.split(':', 1)[0];
}
