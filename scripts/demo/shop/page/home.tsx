/** The first page: a shelf for this shopper, what everybody buys, and what was looked at. */
import type { JSX } from 'preact';
import { CestaShelf, PageTitle, PlainShelf, Waiting } from './elements.tsx';
import { words } from './language.ts';
import { cesta, isReady } from './shop.ts';

const limit = 8;

export function Home(): JSX.Element {
  const { home, shelves } = words.value;
  return (
    <>
      <PageTitle>{home.title}</PageTitle>
      <p class="lead">{home.lead}</p>
      {isReady.value ? <CestaShelf surface="home" limit={limit} /> : <Waiting />}
      <PlainShelf id="recent" title={shelves.recent} find={() => cesta.recentlyViewed({ limit: 4 })} />
      <PlainShelf id="trending" title={shelves.trending} find={() => cesta.trending({ limit })} />
    </>
  );
}
