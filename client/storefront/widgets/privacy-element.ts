/** `<cesta-privacy>`: most pages never show it, so the panel itself is another file, loaded with the first that does. */
import { speak, wordsFor, type Mounted, type WidgetContext } from './context.ts';
import { announce, coalesced, emptyRoot, make } from './elements.ts';

export function mountPrivacy(host: HTMLElement, context: WidgetContext): Mounted {
  const { cesta, options } = context;
  const root = emptyRoot(host);
  let render = (): void => undefined;
  let isOver = false;
  const later = coalesced(() => {
    if (!isOver) render();
  });

  async function show(): Promise<void> {
    const words = await wordsFor(host, options);
    try {
      const [{ fillPanel }] = await Promise.all([import('./privacy.ts'), cesta.loaded.catch(() => undefined)]);
      if (isOver) return;
      render = fillPanel(host, root, context, words);
      render();
    } catch (error) {
      const message = make('p', { role: 'alert' }, words.texts.panel.errors.unreachable);
      speak(message, host, words, options);
      root.replaceChildren(message);
      announce(host, 'cesta-error', error);
    }
  }

  void show();
  const unsubscribe = cesta.subscribe(later);
  return {
    update: later,
    unmount() {
      isOver = true;
      unsubscribe();
    },
  };
}
