/** What a shopper can switch beside the degree: where shelves are personal, how the shop may write, and this device's bound on epsilon. */
import type { ShopperSettings } from '../api.ts';
import { make } from './elements.ts';
import type { PanelSection, PanelView } from './section.ts';
import { boundNames, type BoundName } from './texts/texts.ts';
import { roundedUp } from './truth.ts';
import { fill } from './words.ts';

export function switchesSection(view: PanelView): PanelSection {
  const { context: { cesta }, words: { texts: { panel } } } = view;

  function set(settings: Partial<ShopperSettings>): void {
    try {
      cesta.set(settings);
    } catch (error) {
      view.fail(error);
    }
  }

  function boxes<Key extends string>(kind: 'surfaces' | 'channels', legend: string, texts: Readonly<Record<Key, string>>, isOn: Readonly<Record<Key, boolean>>): HTMLElement {
    return make('fieldset', { part: kind }, make('legend', {}, legend), ...(Object.keys(texts) as Key[]).map((key) => {
      const box = make('input', {
        type: 'checkbox', 'data-key': `${kind}:${key}`, checked: isOn[key], onchange: () => set({ [kind]: { ...cesta.privacy.settings[kind], [key]: box.checked } }),
      });
      return make('label', {}, box, texts[key]);
    }));
  }

  function bounds(maxEpsilon: number): HTMLElement {
    const named: (readonly [number, BoundName | 'own'])[] = Object.entries(boundNames).map(([bound, name]) => [Number(bound), name] as const);
    // What was set elsewhere has no name here, and is shown as it is.
    if (named.every(([bound]) => bound !== maxEpsilon)) named.push([maxEpsilon, 'own']);
    return make('fieldset', { part: 'bound' }, make('legend', {}, panel.bound), ...named.sort(([a], [b]) => a - b).map(([bound, name]) => make('label', {},
      make('input', { type: 'radio', name: 'bound', value: bound, 'data-key': `bound:${bound}`, checked: bound === maxEpsilon, onchange: () => set({ maxEpsilon: bound }) }),
      fill(panel.boundMeans, { name: panel.bounds[name], bound: view.words.number(bound), factor: roundedUp(view.words, Math.exp(bound)) }))));
  }

  return {
    data: () => {
      const { surfaces, channels, maxEpsilon } = cesta.privacy.settings;
      return { surfaces, channels, maxEpsilon };
    },
    build() {
      const { surfaces, channels, maxEpsilon } = cesta.privacy.settings;
      return [boxes('surfaces', panel.surfaces, panel.surface, surfaces), boxes('channels', panel.channels, panel.channel, channels), bounds(maxEpsilon)];
    },
  };
}
