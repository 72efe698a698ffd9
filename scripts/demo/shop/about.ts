/** What the demo's shop says of itself in consent receipts: the notice that its pages show, in all languages, by its digest. */
import type { About } from '../../../client/shop/storefront-api/about.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../../../shared/protocol/digest.ts';
import { notice, noticeDate } from './page/notice.ts';
import { ar } from './page/words/ar.ts';
import { en } from './page/words/en.ts';
import { es } from './page/words/es.ts';
import { pl } from './page/words/pl.ts';

/** @param shop Where the pages are served. */
export function aboutDemoShop(shop: URL): About {
  const texts = [en, es, pl, ar].map(({ privacy: { sections } }) => sections);
  return {
    controller: { name: en.shopName, contact: 'nobody@shop.invalid', url: new URL('/', shop).href },
    notices: [{ version: notice.version, url: new URL(notice.url, shop).href, sha256: sha256Hex(new TextEncoder().encode(canonicalJson(texts))) }],
    processors: [],
    updated: noticeDate,
  };
}
