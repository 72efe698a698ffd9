/** A page for tests of the widgets: defines them on a scripted SDK and leaves it where the test finds it. */
import { defineWidgets } from '../../../../client/storefront/widgets/widgets.ts';
import { scriptedCesta, shelfOf, type Scripted } from './scripted-cesta.ts';

export interface PageScope {
  cesta: Scripted;
  shelfOf: typeof shelfOf;
}

const cesta = scriptedCesta();
Object.assign(globalThis, { cesta, shelfOf });
const search = new URLSearchParams(location.search);
defineWidgets(cesta, {
  ...(search.has('notice') ? { notices: { en: { what: 'What we note', why: 'Why we do', where: 'Where it is' } } } : {}),
  format: {
    price: (price) => `€${price.toFixed(2)}`,
    link: (id) => `#${id}`,
    ...(search.has('pictures') ? { image: () => 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg"/%3E' } : {}),
  },
});
if (!search.has('wait')) cesta.begin();
