/** All products, those of a department, or those whose title has the words searched for: found in this page. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { departments } from './departments.ts';
import { Cards, PageTitle, ProductCard, Waiting } from './elements.tsx';
import { words } from './language.ts';
import { products, search, type Search } from './products.ts';
import { pathOf } from './router.ts';

const pageSize = 24;

export function List({ text, department }: Search): JSX.Element {
  const { list, departments: names } = words.value;
  const found = search({ text, department });
  return (
    <>
      <PageTitle>{titleOf({ text, department })}</PageTitle>
      <nav aria-label={list.department}>
        <ul class="departments">
          {[null, ...departments].map((name) => (
            <li key={name}><a href={pathOf({ kind: 'list', text, department: name })} aria-current={name === department ? 'page' : undefined}>{name === null ? list.all : names[name]}</a></li>
          ))}
        </ul>
      </nav>
      {products.value.size === 0 ? <Waiting /> : <p role="status">{found.length === 0 ? list.none : list.results(found.length)}</p>}
      <Found key={`${text} ${department}`} found={found} />
    </>
  );
}

export function titleOf({ text, department }: Search): string {
  const { list, departments: names } = words.value;
  const place = department === null ? list.title : names[department];
  return text === '' ? place : `${list.query(text)} (${place})`;
}

function Found({ found }: { readonly found: ReturnType<typeof search> }): JSX.Element {
  const shown = useSignal(pageSize);
  return (
    <>
      <Cards>{found.slice(0, shown.value).map((product) => <ProductCard key={product.id} product={product} heading="h2" />)}</Cards>
      {found.length > shown.value && <button type="button" onClick={() => void (shown.value += pageSize)}>{words.value.list.more}</button>}
    </>
  );
}
