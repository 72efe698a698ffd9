/** What a round of training starts from. */
import pino from 'pino';
import { expect, it } from 'vitest';
import { createRoundSource, type RoundSourceOptions } from '../../server/next-round.ts';
import { createCatalogueRoom } from '../../server/catalogue-room.ts';
import { parseTaskSpec } from '../../shared/federation/task.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { createModel } from '../../shared/recommender/registry.ts';

// So many without titles that a first count has to tell which are worth pairing.
const catalogue = createCatalogue(Array.from({ length: 600 }, (_, index) => ({ id: `sku-${index}`, title: '' })));
const task = parseTaskSpec({
  name: 'main', model: { kind: 'neighbours' },
  privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 2, adaptiveClip: { expectedShoppers: 100 } },
  cohort: { minParticipants: 1, targetParticipants: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 },
});

const make: RoundSourceOptions['createModel'] = (items, { kind, hyperParameters }) => createModel(kind, items, hyperParameters);

function nextAfter(model: { readonly kind: string; readonly hyperParameters: object }): ReturnType<ReturnType<typeof createRoundSource>['next']> {
  const current = { manifest: { model, nextClipNorm: 0.25 }, sha256: 'ab'.repeat(32), params: { popularity: new Float32Array(600) } };
  return createRoundSource({
    task, room: createCatalogueRoom(catalogue), keepCatalogue: () => Promise.resolve(), gateway: { ready: () => [] }, logger: pino({ level: 'silent' }),
    releases: { current, settle: () => Promise.resolve() }, storage: {},
    createModel: make,
  } as unknown as RoundSourceOptions).next();
}

it('is neither the release nor the clip norm of a first count', async () => {
  expect(await nextAfter({ kind: 'popularity', hyperParameters: {} })).toMatchObject({ statistic: { kind: 'neighbours' }, baseRelease: null, clipNorm: null });
});

it('is the release before, and where its clip norm arrived', async () => {
  expect(await nextAfter({ kind: 'neighbours', hyperParameters: { topItems: [1, 2] } })).toMatchObject({ baseRelease: 'ab'.repeat(32), clipNorm: 0.25 });
});
