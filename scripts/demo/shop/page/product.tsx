/** A product, what is like it, and what goes with it. */
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { quantityOf, setQuantity } from './basket.ts';
import { CestaShelf, PageTitle, PlainShelf } from './elements.tsx';
import { money, words } from './language.ts';
import { products, type Product } from './products.ts';
import { pathOf } from './router.ts';
import { cesta, isReady, track } from './shop.ts';
import { tileOf } from './tile.ts';

export function ProductPage({ id }: { readonly id: string }): JSX.Element {
  const product = products.value.get(id);
  return product === undefined ? <PageTitle>{words.value.product.unknown}</PageTitle> : <Details key={id} product={product} />;
}

function Details({ product }: { readonly product: Product }): JSX.Element {
  const { product: texts, departments, shelves } = words.value;
  const { id, title, price, department } = product;
  const isAdded = useSignal(false);
  useEffect(() => track('view_item', [{ id }]), [id]);
  const add = (): void => {
    setQuantity(id, quantityOf(id) + 1);
    track('add_to_cart', [{ id }]);
    isAdded.value = true;
  };
  return (
    <>
      <div class="product">
        <img src={tileOf(product)} alt="" width="320" height="320" />
        <div>
          <PageTitle lang="en">{title}</PageTitle>
          <dl>
            <dt>{texts.price}</dt><dd class="price">{money.value.format(price)}</dd>
            <dt>{texts.department}</dt><dd><a href={pathOf({ kind: 'list', text: '', department })}>{departments[department]}</a></dd>
            <dt>{texts.number}</dt><dd>{id}</dd>
          </dl>
          <button type="button" class="main" onClick={add}>{texts.add}</button>
          <p role="status">{isAdded.value && texts.added(title)}</p>
        </div>
      </div>
      {isReady.value && <CestaShelf surface="product" item={id} limit={4} />}
      <PlainShelf id="similar" title={shelves.similar} find={() => cesta.similar(id, { limit: 4 })} />
      <PlainShelf id="together" title={shelves.together} find={() => cesta.boughtTogether([id], { limit: 4 })} />
    </>
  );
}
