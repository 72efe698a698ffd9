/** The basket, what goes with it, and a checkout that sells nothing. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { emptyBasket, lines, setQuantity, total, type Line } from './basket.ts';
import { CestaShelf, PageTitle } from './elements.tsx';
import { money, words } from './language.ts';
import { pathOf } from './router.ts';
import { isReady, track } from './shop.ts';
import { tileOf } from './tile.ts';

export function BasketPage(): JSX.Element {
  const { basket } = words.value;
  const isDone = useSignal(false);
  const pretend = (): void => {
    track('purchase', lines.value.map(({ product: { id }, quantity }) => ({ id, quantity })));
    emptyBasket();
    isDone.value = true;
  };
  return (
    <>
      <PageTitle>{basket.title}</PageTitle>
      <p class="note">{basket.note}</p>
      <p role="status">{isDone.value && basket.done}</p>
      {lines.value.length === 0 ? <p>{basket.empty} <a href={pathOf({ kind: 'list', text: '', department: null })}>{basket.look}</a></p> : (
        <>
          <ul class="lines">{lines.value.map((line) => <BasketLine key={line.product.id} line={line} />)}</ul>
          <p class="total">{basket.total}: <strong>{money.value.format(total.value)}</strong></p>
          <button type="button" class="main" onClick={pretend}>{basket.checkout}</button>
          {isReady.value && <CestaShelf surface="cart" items={lines.value.map(({ product: { id } }) => id).join(',')} limit={4} />}
        </>
      )}
    </>
  );
}

function BasketLine({ line: { product, quantity } }: { readonly line: Line }): JSX.Element {
  const { basket } = words.value;
  const { id, title, price } = product;
  const change = (next: number): void => {
    setQuantity(id, next);
    if (next < quantity) track('remove_from_cart', [{ id, quantity: quantity - next }]);
    else if (next > quantity) track('add_to_cart', [{ id, quantity: next - quantity }]);
  };
  return (
    <li>
      <img src={tileOf(product)} alt="" width="64" height="64" />
      <a href={pathOf({ kind: 'product', id })} lang="en" dir="ltr">{title}</a>
      <input type="number" min="1" max="99" value={quantity} aria-label={basket.quantity(title)} onChange={({ currentTarget: { valueAsNumber } }) => change(Math.min(99, Math.max(1, Math.floor(valueAsNumber) || 1)))} />
      <span class="price">{money.value.format(price * quantity)}</span>
      <button type="button" aria-label={basket.remove(title)} onClick={() => change(0)}>{basket.removeShort}</button>
    </li>
  );
}
