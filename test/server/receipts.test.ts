import { describe, expect, it } from 'vitest';
import { createReceipts, type Receipts } from '../../server/receipts.ts';
import { verifyReceipt, type SignedReceipt } from '../../shared/ledger/receipt.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';

const key = signingKey(new Uint8Array(32).fill(3));
const sha256 = 'c'.repeat(64);
const nodes = new Map(['a', 'b', 'c', 'd'].map((name) => [name, name.charCodeAt(0).toString(16).repeat(32)]));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i += 1) await turn();
};

interface Rig {
  readonly clock: FakeClock;
  readonly receipts: Receipts;
  readonly batches: string[][];
  readonly told: string[];
  readonly failures: string[];
  readonly kept: SignedReceipt[];
  /** Lets the commit under way end. */
  readonly release: (error?: CestaError) => Promise<void>;
}

function rig(gatherMs = 0): Rig {
  const clock = fakeClock();
  const batches: string[][] = [];
  const told: string[] = [];
  const failures: string[] = [];
  const kept: SignedReceipt[] = [];
  let finish: (error?: CestaError) => void = () => undefined;
  const receipts = createReceipts({
    round: 'main-1', planHash: 'a'.repeat(64), key, clock, gatherMs, nodeOf: (name) => nodes.get(name),
    storage: {
      recordParticipants(_round, changes) {
        batches.push(changes.map(({ participant, kind }) => `${participant} ${kind}`));
        return new Promise((resolve, reject) => {
          finish = (error) => (error === undefined ? resolve() : reject(error));
        });
      },
    },
    onDurable(name, receipt) {
      told.push(name);
      kept.push(receipt);
    },
    onFailed: ({ code }) => void failures.push(code),
  });
  return {
    clock, receipts, batches, told, failures, kept,
    async release(error) {
      finish(error);
      await turn();
      await turn();
    },
  };
}

describe('receipts', () => {
  it('are told when they are durable, and not before', async () => {
    const { receipts, told, kept, release } = rig();
    receipts.report('a', sha256);
    await turn();
    expect([told, receipts.of('a')]).toEqual([[], null]);
    await release();
    expect(told).toEqual(['a']);
    expect(receipts.of('a')).toBe(kept[0]);
    expect(() => verifyReceipt(kept[0], { round: 'main-1', planHash: 'a'.repeat(64), shop: 'a', node: nodes.get('a') ?? '', sha256 }, key.publicKey)).not.toThrow();
  });

  it('that come while a commit is under way share the next one', async () => {
    const { receipts, batches, told, release } = rig();
    receipts.report('a', sha256);
    receipts.report('b', sha256);
    await turn();
    receipts.report('c', sha256);
    receipts.exclude('d', 'update.corrupt');
    await turn();
    expect(batches).toEqual([['a reported', 'b reported']]);
    await release();
    expect(batches).toEqual([['a reported', 'b reported'], ['c reported', 'd excluded']]);
    expect(told).toEqual(['a', 'b']);
    await release();
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('wait a little for one another, but not when everybody waits for them', async () => {
    const { receipts, batches, clock, told, release } = rig(50);
    receipts.report('a', sha256);
    await turn();
    clock.advance(49);
    receipts.report('b', sha256);
    await turn();
    expect(batches).toEqual([]);
    clock.advance(1);
    await turns();
    expect(batches).toEqual([['a reported', 'b reported']]);
    await release();
    receipts.report('c', sha256);
    await turns();
    const settled = receipts.settled();
    await turns();
    expect(batches[1]).toEqual(['c reported']);
    await release();
    expect([await settled, told, clock.pending]).toEqual([null, ['a', 'b', 'c'], 0]);
  });

  it('are waited for, all of them', async () => {
    const { receipts, told, release } = rig();
    expect(await receipts.settled()).toBeNull();
    receipts.report('a', sha256);
    await turn();
    receipts.report('b', sha256);
    const settled = receipts.settled().then((failure) => [failure, ...told]);
    await release();
    await release();
    expect(await settled).toEqual([null, 'a', 'b']);
  });

  it('are not told after a disk failed, then or later', async () => {
    const { receipts, batches, told, failures, release } = rig();
    receipts.report('a', sha256);
    await turn();
    receipts.report('b', sha256);
    await release(new CestaError('storage.failed', 'no space left'));
    receipts.report('c', sha256);
    expect(await receipts.settled()).toMatchObject({ code: 'storage.failed' });
    expect([told, failures, batches]).toEqual([[], ['storage.failed'], [['a reported']]]);
  });

  it('stand: who was acknowledged is not left out afterwards, nor the other way round', async () => {
    const { receipts, batches, release } = rig();
    receipts.report('a', sha256);
    receipts.exclude('a', 'secagg.invalid');
    receipts.exclude('b', 'update.corrupt');
    receipts.report('b', sha256);
    receipts.exclude('stranger', 'update.corrupt');
    expect(() => receipts.report('stranger', sha256)).toThrow('expected the key of stranger');
    await turn();
    await release();
    expect(batches).toEqual([['a reported', 'b excluded']]);
  });
});
