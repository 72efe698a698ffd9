import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openConsentBook, type ConsentBook } from '../../../../client/shop/storefront-api/consent-book.ts';
import { makeConsentRecord } from '../../../../client/shop/storefront-api/consent-record.ts';
import { codeOf } from '../../fakes.ts';
import { about } from './rig.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-consents-'));
afterAll(() => rmSync(root, { recursive: true }));
const key = randomBytes(32);
const time = '2026-01-02T00:00:00.000Z';
const [tablet, phone, laptop] = ['aa', 'bb', 'cc'].map((byte) => byte.repeat(16));
const parsedAbout = about as Parameters<typeof makeConsentRecord>[0];

interface Open {
  readonly folder: string;
  readonly book: ConsentBook;
  readonly give: (principal: string, degree: 1 | 2 | 3, shopperId?: string | null, replaces?: string | null) => { id: string; secret: string };
}

function open(folder = mkdtempSync(join(root, 'book-'))): Open {
  const book = openConsentBook(folder, key);
  return {
    folder, book,
    give(principal, degree, shopperId = null, replaces = null) {
      const id = randomBytes(16).toString('hex');
      const record = makeConsentRecord(parsedAbout, { recordId: id, principal, degree, notice: 'v2', gpc: false, time, retentionDays: 30 });
      return { id, ...book.give({ record, shopperId, replaces }) };
    },
  };
}

function reopened({ folder, book }: Open): Open {
  book.close();
  return open(folder);
}

describe('the shop\'s own name for a shopper', () => {
  it('does not get the choice of the next customer on a shared device', () => {
    const { book, give } = open();
    give(tablet, 2, 'ana');
    give(tablet, 3, 'ben');
    expect(book.find('ana')).toBeNull();
    expect(book.objects('ana')).toBe(true);
    expect(book.find('ben')).toMatchObject({ degree: 3, principal: tablet, shopperId: 'ben' });
    book.close();
  });

  it('is held to the lowest of all devices that have it now', () => {
    const { book, give } = open();
    give(phone, 3, 'ana');
    give(tablet, 2, 'ana');
    expect(book.find('ana')).toMatchObject({ degree: 2, principal: tablet, principals: [tablet, phone] });
    expect(book.find(phone)).toMatchObject({ degree: 3 });
    give(tablet, 3, 'ben');
    expect(book.find('ana')).toMatchObject({ degree: 3, principals: [phone] });
    expect([...book.people].map(({ shopperId, degree }) => `${shopperId} ${degree}`).sort()).toEqual(['ana 3', 'ben 3']);
    book.close();
  });

  it('stays withdrawn after somebody else was erased and the shop node began anew', () => {
    const first = open();
    const withdrawn = first.give(phone, 3, 'ana');
    first.give(tablet, 3, 'ana');
    first.give(laptop, 2, 'ben');
    first.book.withdraw(withdrawn.id, withdrawn.secret, time);
    first.book.erase(laptop);
    expect(first.book.find('ana')).toMatchObject({ degree: 0 });
    const next = reopened(first);
    expect(next.book.find('ana')).toMatchObject({ degree: 0 });
    next.book.close();
  });

  it('is not to be used after one of its devices was erased, until a newer consent, after a restart as before it', () => {
    const first = open();
    first.give(phone, 3, 'ana');
    first.give(tablet, 3, 'ana');
    first.book.erase(phone);
    expect(first.book.find('ana')).toMatchObject({ degree: 0, principal: tablet });
    const next = reopened(first);
    expect(next.book.find('ana')).toMatchObject({ degree: 0, principal: tablet });
    next.give(laptop, 2, 'ana');
    next.book.erase(phone);
    expect(next.book.find('ana')).toMatchObject({ degree: 2, principal: laptop });
    const last = reopened(next);
    expect(last.book.find('ana')).toMatchObject({ degree: 2, principal: laptop });
    last.book.close();
  });

  it('stays with a device whose next consent names nobody', () => {
    const { book, give } = open();
    const { id } = give(phone, 3, 'ana');
    give(phone, 2, null, id);
    expect(book.find('ana')).toMatchObject({ degree: 2, principal: phone });
    book.close();
  });
});

describe('the file of consents', () => {
  it('is freed of what later records took the place of, and says the same after that', () => {
    const first = open();
    const { id, secret } = first.give(phone, 3, 'ana');
    first.give(phone, 2, null, id);
    const size = (): number => statSync(join(first.folder, 'consents.sealed')).size;
    const before = size();
    first.book.compact();
    expect(size()).toBeLessThan(before);
    const after = size();
    first.book.compact();
    expect(size()).toBe(after);
    const next = reopened(first);
    expect(next.book.find('ana')).toMatchObject({ degree: 2 });
    expect(next.book.recordsOf(phone).map(({ events }) => events.length)).toEqual([2, 1]);
    expect(next.book.principalOf(secret)).toBe(phone);
    next.book.close();
  });

  it('has room for a thousand consents of one shopper', async () => {
    const { book, give } = open();
    for (let count = 0; count < 1_000; count += 1) give(phone, 2);
    expect(await codeOf(() => give(phone, 2))).toBe('limit.capacity');
    book.close();
  });
});
