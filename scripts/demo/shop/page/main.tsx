/** The shop: which page is on, the frame around it, and the start of everything. */
import { render, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { effect, useSignal } from '@preact/signals';
import { defineWidgets } from '../../../../client/storefront/widgets/widgets.ts';
import { itemCount } from './basket.ts';
import { BasketPage } from './basket-page.tsx';
import { Drawer } from './drawer.tsx';
import { Home } from './home.tsx';
import { isLanguage, language, languages, money, showLanguage, words } from './language.ts';
import { List, titleOf } from './list.tsx';
import { PrivacyPage } from './privacy-page.tsx';
import { ProductPage } from './product.tsx';
import { products, readable } from './products.ts';
import { followLinks, go, pathOf, route, type Route } from './router.ts';
import { cesta, openShop } from './shop.ts';
import { tileOf } from './tile.ts';

function Page({ route }: { readonly route: Route }): JSX.Element {
  switch (route.kind) {
    case 'home':
      return <Home />;
    case 'product':
      return <ProductPage id={route.id} />;
    case 'list':
      return <List text={route.text} department={route.department} />;
    case 'basket':
      return <BasketPage />;
    case 'privacy':
      return <PrivacyPage />;
    default:
      return route satisfies never;
  }
}

function nameOf(route: Route): string {
  const { home, product, basket, privacy } = words.value;
  switch (route.kind) {
    case 'home':
      return home.title;
    case 'product':
      return products.value.get(route.id)?.title ?? product.unknown;
    case 'list':
      return titleOf(route);
    case 'basket':
      return basket.title;
    case 'privacy':
      return privacy.title;
    default:
      return route satisfies never;
  }
}

function Shop(): JSX.Element {
  const { skip, demo, credit, drawer } = words.value;
  const isOpen = useSignal(matchMedia('(min-width: 64rem)').matches);
  const shown = route.value;
  useFocusOnTitle(shown);
  // A shelf that is asked for its degree has the panel of the drawer, and opens no second one.
  useEffect(() => {
    const show = (event: Event): void => {
      event.preventDefault();
      isOpen.value = true;
      requestAnimationFrame(() => document.getElementById('degree')?.focus());
    };
    document.addEventListener('cesta-privacy-open', show);
    return () => document.removeEventListener('cesta-privacy-open', show);
  }, [isOpen]);
  return (
    <>
      <a class="skip" href="#title">{skip}</a>
      <header>
        <Header />
        <div class="bar"><p>{demo}</p><button type="button" aria-expanded={isOpen.value} aria-controls="drawer" onClick={() => void (isOpen.value = !isOpen.value)}>{isOpen.value ? drawer.close : drawer.open}</button></div>
      </header>
      <div class="frame">
        {isOpen.value && <Drawer />}
        <main><Page route={shown} /></main>
      </div>
      <footer><p>{credit}</p></footer>
    </>
  );
}

function Header(): JSX.Element {
  const { shopName, menu } = words.value;
  const find = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get('q');
    go(pathOf({ kind: 'list', text: typeof text === 'string' ? text : '', department: null }));
  };
  return (
    <div class="head">
      <a class="brand" href="/">{shopName}</a>
      <nav aria-label={menu.label}>
        <a href="/">{menu.home}</a>
        <a href="/list">{menu.list}</a>
        <a href="/basket">{menu.basket} ({itemCount.value})</a>
        <a href="/privacy">{menu.privacy}</a>
      </nav>
      <form role="search" onSubmit={find}><input type="search" name="q" aria-label={menu.search} placeholder={menu.search} /><button>{menu.find}</button></form>
      <label>{menu.language} <select value={language.value} onChange={({ currentTarget: { value } }) => void (isLanguage(value) && (language.value = value))}>
        {Object.entries(languages).map(([tag, name]) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
      </select></label>
    </div>
  );
}

/** Not on the first page: there the browser says where the keyboard is. */
function useFocusOnTitle(shown: Route): void {
  const isFirst = useSignal(true);
  useEffect(() => {
    if (!isFirst.peek()) document.getElementById('title')?.focus();
    isFirst.value = false;
  }, [shown]);
}

showLanguage();
followLinks();
effect(() => void (document.title = `${nameOf(route.value)} | ${words.value.shopName}`));
const titleFor = (id: string): string => products.value.get(id)?.title ?? id;
defineWidgets(cesta, { format: { title: readable, price: (price) => money.value.format(price), image: (id) => tileOf({ id, title: titleFor(id) }), link: (id) => pathOf({ kind: 'product', id }) } });
render(<Shop />, document.body);
void openShop();
