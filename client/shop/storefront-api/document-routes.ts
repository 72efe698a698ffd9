/** What anybody may read of a shop node: its manifest, that it honours Global Privacy Control, whether it works. */
import { Router } from 'express';
import { z } from 'zod';
import { rankingInWords, type ShopManifest } from '../../../shared/commerce/shop-manifest.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { HeldRelease } from '../../storefront/release-holder.ts';
import type { About } from './about.ts';

/** As the specification of Global Privacy Control has it, section 4. */
export const gpcSchema = z.object({ gpc: z.literal(true), lastUpdate: z.iso.date() });
export const healthSchema = z.object({ status: z.literal('ok') });
export const readinessSchema = z.object({ status: z.literal('ready'), version: z.number().int() });

export interface DocumentRoutesContext {
  readonly shop: string;
  readonly publicKey: string;
  readonly about: About;
  readonly retentionDays: number;
  /** Null before the first. */
  readonly release: () => HeldRelease | null;
  readonly openApi: () => unknown;
}

export function documentRoutes(context: DocumentRoutesContext): Router {
  const router = Router();
  router.get('/.well-known/cesta.json', (_request, response) => void response.json(manifestOf(context)));
  router.get('/.well-known/gpc.json', (_request, response) => {
    const body: z.input<typeof gpcSchema> = { gpc: true, lastUpdate: context.about.updated };
    response.json(body);
  });
  const openApi = context.openApi();
  router.get('/v1/openapi.json', (_request, response) => void response.json(openApi));
  router.get('/healthz', (_request, response) => {
    const body: z.input<typeof healthSchema> = { status: 'ok' };
    response.json(body);
  });
  router.get('/readyz', (_request, response) => {
    const held = context.release();
    if (held === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet');
    const body: z.input<typeof readinessSchema> = { status: 'ready', version: held.manifest.version };
    response.json(body);
  });
  return router;
}

function manifestOf({ shop, publicKey, about, retentionDays, release }: DocumentRoutesContext): ShopManifest {
  const held = release();
  return {
    format: 'cesta/shop/1',
    shop,
    publicKey,
    controller: about.controller,
    updated: about.updated,
    release: held === null ? null : releaseOf(held),
    ranking: rankingInWords,
    notices: [...about.notices],
    processors: [...about.processors],
    retention_days: retentionDays,
    gpc: true,
  };
}

function releaseOf({ manifest, sha256 }: HeldRelease): NonNullable<ShopManifest['release']> {
  const { task, version, createdAt, shoppers, model, privacy: { mode, unit, epsilon, delta } } = manifest;
  return { task, version, createdAt, model: model.kind, sha256, shoppers, privacy: { mode, unit, epsilon, delta } };
}
