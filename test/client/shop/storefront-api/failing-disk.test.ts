import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openContactBook } from '../../../../client/shop/storefront-api/campaigns/contact-book.ts';
import { openEventStore } from '../../../../client/shop/storefront-api/event-store.ts';
import { openSealedLog } from '../../../../client/shop/storefront-api/sealed-log.ts';
import { codeOf } from '../../fakes.ts';
import { codeIn, principal, rigs } from './rig.ts';

const disk = vi.hoisted(() => ({ folderFails: false }));
vi.mock(import('../../../../client/shop/spend-ledger.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    syncFolder(folder) {
      if (disk.folderFails) throw new Error('EIO');
      real.syncFolder(folder);
    },
  };
});

const open = rigs();
const root = mkdtempSync(join(tmpdir(), 'cesta-failing-'));
afterAll(() => rmSync(root, { recursive: true }));
const key = randomBytes(32);
const other = 'cd'.repeat(16);
const channels = { site: true, email: true, push: false, sms: false };

/** A folder in the place of the file that a rewrite writes first. */
async function withoutRewrites<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  mkdirSync(`${path}.new`);
  try {
    return await work();
  } finally {
    rmdirSync(`${path}.new`);
  }
}

describe('an erasure that the disk refuses', () => {
  it.each(['events.sealed', 'contacts.sealed', 'consents.sealed'])('is not said to be done while %s holds what it held, and is done on the next try', async (file) => {
    const rig = await open();
    const { bearer } = await rig.agree(2);
    await rig.backend('POST', '/v1/events', { events: [{ event: 'view_item', item_id: 'a', shopper_id: principal }] });
    await rig.ask('PUT', '/v1/channels', { channels }, bearer);
    for (const _ of [1, 2]) {
      const refused = await withoutRewrites(join(rig.folder, file), () => rig.ask('DELETE', '/v1/me', undefined, bearer));
      expect(codeIn(refused)).toBe('storage.failed');
    }
    expect((await rig.ask('DELETE', '/v1/me', undefined, bearer)).body).toEqual({ erased: true });
    expect(codeIn(await rig.ask('GET', '/v1/me/export', undefined, bearer))).toBe('consent.unknown');
    await rig.api.close();
    const next = await open({ stateDir: rig.stateDir });
    expect(codeIn(await next.ask('DELETE', '/v1/me', undefined, bearer))).toBe('consent.unknown');
  });

  it('leaves events and contacts in memory as they are on disk', async () => {
    const store = openEventStore(root, key, { retention: { days: 30, eventsPerShopper: 10 }, dateMs: () => 0 });
    store.add([principal, other].map((of) => ({ principal: of, purposes: ['recommend'], events: [{ event: 'view_item', item_id: 'a', hour: 0 }] })));
    expect(await withoutRewrites(join(root, 'events.sealed'), () => codeOf(() => store.erase((of) => of === other)))).toBe('storage.failed');
    expect(store.export(other)).toHaveLength(1);
    store.erase((of) => of === other);
    expect(store.export(other)).toEqual([]);
    expect(store.export(principal)).toHaveLength(1);
    store.close();
    const path = join(root, 'contacts.sealed');
    const { log, records } = openSealedLog(path, key);
    const contacts = openContactBook(log, records);
    contacts.choose([other], channels);
    expect(await withoutRewrites(path, () => codeOf(() => contacts.erase(() => true)))).toBe('storage.failed');
    expect(contacts.channelsOf(other)).toEqual(channels);
    contacts.erase(() => true);
    expect(log.count).toBe(0);
    log.close();
  });
});

describe('a sealed log whose folder could not be made durable', () => {
  it('says so, and goes on in the file that is there, not in the one that lost its name', async () => {
    const path = join(root, 'renamed.sealed');
    const { log } = openSealedLog(path, key);
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    log.append([bytes('old')]);
    disk.folderFails = true;
    expect(await codeOf(() => log.rewrite([bytes('new')]))).toBe('storage.failed');
    disk.folderFails = false;
    log.append([bytes('next')]);
    log.close();
    const again = openSealedLog(path, key);
    expect(again.records.map(String)).toEqual(['new', 'next']);
    again.log.close();
  });
});
