/** The widgets of the SDK as elements of these pages, and the cards of products beside them. */
import { h, type ComponentChildren, type JSX } from 'preact';
import { money, words } from './language.ts';
import { products, type Product } from './products.ts';
import { pathOf } from './router.ts';
import { ranked } from './shop.ts';
import { tileOf } from './tile.ts';

/** For this shopper, or beside an item or a basket; it makes itself again when what it ranks with changes. */
export function CestaShelf(attributes: { readonly surface: 'home' | 'product' | 'cart'; readonly item?: string; readonly items?: string; readonly limit: number }): JSX.Element {
  return h('cesta-shelf', attributes);
}

/** The degree, what it means, and the shopper's rights. */
export function CestaPrivacy(): JSX.Element {
  return h('cesta-privacy', {});
}

export function ProductCard({ product, heading: Heading = 'h3' }: { readonly product: Product; readonly heading?: 'h2' | 'h3' }): JSX.Element {
  return (
    <li class="card">
      <img src={tileOf(product)} alt="" width="160" height="160" />
      <Heading><a href={pathOf({ kind: 'product', id: product.id })} lang="en" dir="ltr">{product.title}</a></Heading>
      <p class="price">{money.value.format(product.price)}</p>
    </li>
  );
}

export function Cards({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <ul class="cards">{children}</ul>;
}

/** A shelf that is the same for everybody, or what was looked at: from the SDK, drawn by the shop. Nothing where it is empty. */
export function PlainShelf({ id, title, find }: { readonly id: string; readonly title: string; readonly find: () => readonly { readonly item_id: string }[] }): JSX.Element | null {
  const found = ranked(find).map(({ item_id }) => products.value.get(item_id)).filter((product) => product !== undefined);
  if (found.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <Cards>{found.map((product) => <ProductCard key={product.id} product={product} />)}</Cards>
    </section>
  );
}

/** The title of the page, which the keyboard is on after the page has changed. */
export function PageTitle({ children, lang }: { readonly children: string; readonly lang?: string }): JSX.Element {
  return <h1 id="title" tabIndex={-1} {...(lang === undefined ? {} : { lang, dir: 'ltr' })}>{children}</h1>;
}

export function Waiting(): JSX.Element {
  return <p role="status">{words.value.waiting}</p>;
}
