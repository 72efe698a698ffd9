/**
 * Shelves for pages that a server makes. `POST /v1/recommend` is for the shop's own backend and leaves nothing behind: its
 * body is in no file and no log. What goes with an item, and what is popular, say nothing about anybody and are public.
 */
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import type { StoredEvent } from '../../../shared/commerce/device-events.ts';
import { maxIdLength } from '../../../shared/commerce/events.ts';
import { surfaces } from '../../../shared/commerce/preferences.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { shelfRulesSchema, type ShelfRules } from '../../../shared/ranking/rules.ts';
import type { RecommendRequest, ShelfItem } from '../../storefront/api.ts';
import { rowsOf, trackedEventSchema } from './event-routes.ts';
import type { Charge } from './limits.ts';
import { parseAsked, readBody } from './middleware.ts';
import type { Guest, ShopRanking } from './shop-ranking.ts';
import type { Shoppers } from './shoppers.ts';

const maxBodyBytes = 131_072;
/** Trimmed, as in files. */
const id = z.string().trim().min(1).max(maxIdLength);
const limit = z.int().min(1).max(100);

export const recommendRequestSchema = z.strictObject({
  surface: z.enum(surfaces),
  /** The item of a product page, or the items of a cart; none elsewhere. */
  items: z.array(id).max(200).default([]),
  /** What happened in this visit, from shops whose visitors agreed to its use (degree 1); it is not stored. */
  session: z.array(trackedEventSchema).max(500).default([]),
  /** Whose stored events to rank with, too. Who is named is held to their choice: at degree 0 the session does not count, either. */
  shopper: id.optional(),
  limit: limit.default(8),
  exclude: z.array(id).max(1_000).default([]),
  rules: z.optional(shelfRulesSchema),
  /** 0: by score alone; 1: as varied as it gets. */
  diversity: z.number().min(0).max(1).default(0),
});

const reasonSchema = z.object({ item_id: z.string(), title: z.string().optional(), weight: z.number() });
const shelfItemSchema = z.object({
  item_id: z.string(),
  title: z.string().optional(),
  category: z.string().optional(),
  price: z.number().optional(),
  score: z.number(),
  source: z.enum(['personal', 'similar', 'popular', 'new']),
  /** The items that speak for it, strongest first. */
  because: z.array(reasonSchema),
});

export const shelfSchema = z.object({ items: z.array(shelfItemSchema) });
/** `id` names this shelf, so that what comes of it can be counted by whoever asked; nothing is kept under it here. */
export const recommendAnswerSchema = shelfSchema.extend({ id: z.uuid() });

const shelfQuerySchema = z.object({ limit: z.coerce.number().pipe(limit).default(8) });
const trendingQuerySchema = shelfQuerySchema.extend({ category: z.string().min(1).max(512).optional() });

export interface RankingRoutesContext {
  readonly ranking: Pick<ShopRanking, 'recommend' | 'similar' | 'trending'>;
  readonly shoppers: Pick<Shoppers, 'known'>;
  readonly dateMs: () => number;
  readonly charge: Charge;
}

export function rankingRoutes({ ranking, shoppers, dateMs, charge }: RankingRoutesContext): Router {
  const router = Router();
  router.post('/v1/recommend', async (request, response) => {
    const asked = await readBody(request, recommendRequestSchema, maxBodyBytes);
    const session = asked.session.flatMap((event) => rowsOf(event, dateMs()));
    const body: z.input<typeof recommendAnswerSchema> = { id: randomUUID(), items: answered(ranking.recommend(shelfOf(asked), guestOf(asked.shopper, session))) };
    response.json(body);
  });
  router.get('/v1/similar/:item_id', (request, response) => {
    charge(request);
    const query = parseAsked(shelfQuerySchema, request.query);
    const body: z.input<typeof shelfSchema> = { items: answered(ranking.similar(request.params.item_id, query)) };
    response.json(body);
  });
  router.get('/v1/trending', (request, response) => {
    charge(request);
    const { category, limit: most } = parseAsked(trendingQuerySchema, request.query);
    const body: z.input<typeof shelfSchema> = { items: answered(ranking.trending({ limit: most, ...(category === undefined ? {} : { category }) })) };
    response.json(body);
  });

  function guestOf(shopper: string | undefined, session: readonly StoredEvent[]): Guest {
    if (shopper === undefined) return { degree: 1, events: session };
    const { degree, events } = shoppers.known(shopper);
    return { degree, events: degree === 0 ? [] : [...events, ...session] };
  }
  return router;
}

/** In the terms of a storefront. @throws CestaError `usage.invalid` */
function shelfOf({ surface, items, limit: most, exclude, rules, diversity }: z.output<typeof recommendRequestSchema>): RecommendRequest {
  if (surface === 'product' && items.length !== 1) throw new CestaError('usage.invalid', `items: expected one id on the surface product, got ${items.length}`);
  return {
    surface, exclude, diversity,
    limit: most,
    ...(surface === 'product' ? { item: items[0] } : surface === 'cart' || items.length > 0 ? { items } : {}),
    ...(rules === undefined ? {} : { rules: rules as ShelfRules }),
  };
}

function answered(items: readonly ShelfItem[]): z.input<typeof shelfSchema>['items'] {
  return items.map(({ because, ...item }) => ({ ...item, because: [...because] }));
}
