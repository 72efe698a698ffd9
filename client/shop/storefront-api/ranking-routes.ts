/**
 * Shelves for pages that a server makes. `POST /v1/recommend` is for the shop's own backend and leaves nothing behind: its
 * body is in no file and no log. What goes with an item, and what is popular, say nothing about anybody and are public.
 */
import { randomUUID } from 'node:crypto';
import { Router, type Request } from 'express';
import { z } from 'zod';
import type { StoredEvent } from '../../../shared/commerce/device-events.ts';
import { visitsOf } from '../../../shared/commerce/device-history.ts';
import { maxIdLength } from '../../../shared/commerce/events.ts';
import { surfaces } from '../../../shared/commerce/preferences.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { rowsOf, trackedEventSchema } from './event-routes.ts';
import { parseAsked, readBody } from './middleware.ts';
import type { ShopRanking } from './shop-ranking.ts';
import type { Shoppers } from './shoppers.ts';

const maxBodyBytes = 131_072;
const id = z.string().min(1).max(maxIdLength);
const limit = z.int().min(1).max(100);

export const recommendRequestSchema = z.strictObject({
  surface: z.enum(surfaces),
  /** The item of a product page, or the items of a cart; none elsewhere. */
  items: z.array(id).max(200).default([]),
  /** What happened in this visit, as far as the shopper agreed to its use; it is not stored. */
  session: z.array(trackedEventSchema).max(500).default([]),
  /** Whose stored events to rank with, too; the session counts only from the degree 1 of this shopper on. */
  shopper: id.optional(),
  limit: limit.default(8),
  exclude: z.array(id).max(1_000).default([]),
});

const rankedItemSchema = z.object({
  item_id: z.string(),
  title: z.string().optional(),
  score: z.number(),
  source: z.enum(['personal', 'similar', 'popular', 'new']),
  because: z.array(z.object({ item_id: z.string(), weight: z.number() })),
});

export const shelfSchema = z.object({ items: z.array(rankedItemSchema) });
/** `id` names this shelf, so that what comes of it can be counted by whoever asked; nothing is kept under it here. */
export const recommendAnswerSchema = shelfSchema.extend({ id: z.uuid() });

const shelfQuerySchema = z.object({ limit: z.coerce.number().pipe(limit).default(8) });
const trendingQuerySchema = shelfQuerySchema.extend({ category: z.string().min(1).max(512).optional() });

export interface RankingRoutesContext {
  readonly ranking: ShopRanking;
  readonly shoppers: Pick<Shoppers, 'known'>;
  readonly dateMs: () => number;
  /** @throws CestaError `limit.rate` */
  readonly charge: (request: Request) => void;
}

export function rankingRoutes({ ranking, shoppers, dateMs, charge }: RankingRoutesContext): Router {
  const router = Router();
  router.post('/v1/recommend', async (request, response) => {
    const asked = await readBody(request, recommendRequestSchema, maxBodyBytes);
    requireContext(asked);
    const session = asked.session.flatMap((event) => rowsOf(event, dateMs()));
    const known = asked.shopper === undefined ? { events: session } : withSession(shoppers.known(asked.shopper), session);
    const items = ranking.recommend({ visits: visitsOf(known.events), context: asked.items, exclude: asked.exclude, limit: asked.limit });
    const body: z.input<typeof recommendAnswerSchema> = { id: randomUUID(), items: answered(items) };
    response.json(body);
  });
  router.get('/v1/similar/:item_id', (request, response) => {
    charge(request);
    const query = parseAsked(shelfQuerySchema, request.query);
    const body: z.input<typeof shelfSchema> = { items: answered(ranking.similar(request.params.item_id, query.limit)) };
    response.json(body);
  });
  router.get('/v1/trending', (request, response) => {
    charge(request);
    const { category, limit: most } = parseAsked(trendingQuerySchema, request.query);
    const body: z.input<typeof shelfSchema> = { items: answered(ranking.trending({ category, limit: most })) };
    response.json(body);
  });
  return router;
}

/** Who is named is ranked for as far as they agreed to it; a session beyond that is not looked at. */
function withSession({ degree, events }: ReturnType<Shoppers['known']>, session: readonly StoredEvent[]): { readonly events: readonly StoredEvent[] } {
  return { events: degree === 0 ? [] : [...events, ...session] };
}

function requireContext({ surface, items }: z.output<typeof recommendRequestSchema>): void {
  const [least, most] = surface === 'product' ? [1, 1] : surface === 'cart' ? [0, Infinity] : [0, 0];
  if (items.length < least || items.length > most) {
    throw new CestaError('usage.invalid', `items: expected ${most === 0 ? 'none' : 'one id'} on the surface ${surface}, got ${items.length}`);
  }
}

function answered(items: ReturnType<ShopRanking['recommend']>): z.input<typeof shelfSchema>['items'] {
  return items.map(({ because, ...item }) => ({ ...item, because: [...because] }));
}
