import { describe, expect, it } from 'vitest';
import { reconcileNodes, recordNodes } from '../../../server/ledger/node-ledger.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { bytesToHex } from '../../../shared/protocol/digest.ts';
import { envelopeStatement } from '../../../shared/protocol/envelope.ts';
import { memoryRecord } from '../support/records.ts';

const node = 'a'.repeat(64);
const other = 'b'.repeat(64);

describe('nodes in the public record', () => {
  it('are enrolled and revoked once, whoever tells it how often, and the caller hears it after the record', async () => {
    const record = await memoryRecord();
    const heard: (readonly [string, number])[] = [];
    const options = recordNodes(record, {
      onEnrolled: (key) => void heard.push([key, record.size]),
      onRevoked: (key) => void heard.push([key, record.size]),
    });
    await options.onEnrolled?.(node);
    await Promise.all([options.onEnrolled?.(node), options.onRevoked?.(other, 'expelled'), options.onRevoked?.(other, 'expelled')]);
    expect(record.before.nodeState(node)).toBe('enrolled');
    expect(record.before.nodeState(other)).toBe('revoked');
    expect(record.size).toBe(2);
    expect(heard[0]).toEqual([node, 1]);
  });

  it('catch up with the storage after a crash in between', async () => {
    const record = await memoryRecord();
    const storage = {
      enrolled: () => Promise.resolve([node, other]),
      revocations: () => Promise.resolve([{ node: other, reason: 'compromised' as const, revokedAt: '2026-01-01T00:00:00.000Z' }]),
    };
    await reconcileNodes(record, storage);
    await reconcileNodes(record, storage);
    expect(record.size).toBe(3);
    expect(record.before.totals().nodes).toEqual({ enrolled: 2, revoked: 1 });
  });

  it('that signed two requests under one number are convicted by both', async () => {
    const record = await memoryRecord();
    const key = signingKey(new Uint8Array(32).fill(5));
    const [first, second] = (['renew', 'revoke'] as const).map((type) => envelopeStatement('c'.repeat(64), { v: 1, type, node: key.publicKey, seq: 1, ts: 1, bodyHash: 'a'.repeat(64) }))
      .map((statement) => ({ statement: bytesToHex(statement), signature: key.sign(statement) }));
    await recordNodes(record).onEquivocation?.({ node: key.publicKey, first, second });
    expect(record.before.totals().equivocations).toBe(1);
  });
});
