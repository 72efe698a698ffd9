import { describe, expect, it } from 'vitest';
import { planHash } from '../../../shared/federation/plan.ts';
import { planEvents } from '../../../shared/federation/plan-cost.ts';
import { logKey, logOrigin, openCheckpoint } from '../../../shared/ledger/checkpoint.ts';
import { openEvidence } from '../../../shared/ledger/evidence.ts';
import { noWitnesses } from '../../../shared/ledger/witness-policy.ts';
import { decodeEntry, encodeEntry, planEntry, spendEntry, type LogEntry } from '../../../shared/ledger/log-entries.ts';
import { planRules } from '../../../shared/ledger/plan-rules.ts';
import { replayLog } from '../../../shared/ledger/replay.ts';
import { cosignNote, formatNote, formatSignature, parseNote, type NoteKey } from '../../../shared/ledger/signed-note.ts';
import { statement } from '../../../shared/secagg/labels.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { decodeBundle, subtreesFromTiles, tilePath, widthAt } from '../../../shared/ledger/tiles.ts';
import { rangeHash } from '../../../shared/ledger/merkle-tree.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { LogAppend } from '../../../server/storage/storage.ts';
import { planOf } from '../support/fixtures.ts';
import { memoryLog, memoryRecord, recordKey } from '../support/records.ts';

const origin = logOrigin(recordKey.publicKey);
const planAt = (number: number): LogEntry => planEntry(planOf({ mode: 'local', rounds: 999 }, number));
const openHead = (note: string) => openCheckpoint(note, [logKey(recordKey.publicKey)], origin);

const witnessKeys = [11, 12].map((byte) => signingKey(new Uint8Array(32).fill(byte)));
const witnesses: NoteKey[] = witnessKeys.map(({ publicKey }, i) => ({ name: `witness-${i}`, publicKey, kind: 'witness' }));
const cosigned = (checkpoint: string, i: number): string => {
  const { text } = parseNote(checkpoint);
  return formatNote({ text, signatures: [cosignNote(text, witnesses[i].name, witnessKeys[i], 1_700_000_000)] });
};

describe('the public record', () => {
  it('is a signed head of nothing at first', async () => {
    const record = await memoryRecord();
    expect(record.size).toBe(0);
    expect(await openHead(record.checkpoint())).toMatchObject({ origin, size: 0 });
  });

  it('has an entry durable and below a signed head when its position is told', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    for (let number = 1; number <= 9; number += 1) {
      const position = await record.append(planAt(number));
      expect([position, log.entries.length, record.size]).toEqual([number - 1, number, number]);
      await openEvidence(planAt(number), record.evidence(position), recordKey.publicKey, noWitnesses);
    }
    // Earlier entries stay below later heads.
    await openEvidence(planAt(3), record.evidence(2), recordKey.publicKey, noWitnesses);
    await expect(openEvidence(planAt(4), record.evidence(2), recordKey.publicKey, noWitnesses)).rejects.toMatchObject({ code: 'log.inconsistent' });
  });

  it('appends one after the other, however many come at the same time', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    const positions = await Promise.all(Array.from({ length: 20 }, (_, i) => record.append(planAt(i + 1))));
    expect(positions).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(replayLog(log.entries, planRules).inconsistency).toBeNull();
  });

  it('lets an entry follow from what was said before it', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    const plans = [1, 2].map((number) => planOf({ mode: 'local', rounds: 2 }, number));
    for (const plan of plans) await record.append(planEntry(plan));
    const spend = (i: number) => record.append(({ rdpOf }) => spendEntry({ task: 'trial', round: plans[i].round, planHash: planHash(plans[i]) }, planEvents(plans[i]), rdpOf('trial')));
    await Promise.all([spend(0), spend(1)]);
    expect(replayLog(log.entries, planRules)).toMatchObject({ inconsistency: null, totals: { entries: 4, tasks: [{ rounds: { charged: 2 } }] } });
  });

  it('refuses what contradicts it, and what no reader could read, and goes on', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    await record.append(planAt(1));
    await expect(record.append(planAt(1))).rejects.toMatchObject({ code: 'log.inconsistent' });
    await expect(record.append({ type: 'node-enrolled', node: 'no key' })).rejects.toMatchObject({ code: 'protocol.malformed' });
    expect(await record.append(planAt(2))).toBe(1);
    expect(log.entries).toHaveLength(2);
  });

  it('has several entries below one head, all of them or none', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    const sizes: number[] = [];
    const commit = (append: LogAppend): Promise<void> => {
      sizes.push(append.entries.length);
      return log.appendLog(append);
    };
    expect(await record.appendWith(() => [planAt(1), planAt(2)], commit)).toBe(0);
    await expect(record.appendWith(() => [planAt(3), planAt(1)], commit)).rejects.toMatchObject({ code: 'log.inconsistent' });
    await expect(record.appendWith(() => [planAt(3), planAt(4)], () => Promise.reject(new CestaError('budget.exhausted', 'no share left')))).rejects.toMatchObject({ code: 'budget.exhausted' });
    expect(await record.appendWith(() => [planAt(3)], commit)).toBe(2);
    expect([sizes, record.size]).toEqual([[2, 1], 3]);
    expect(log.entries.map(decodeEntry)).toEqual([planAt(1), planAt(2), planAt(3)]);
    expect(await openHead(record.checkpoint())).toMatchObject({ size: 3 });
  });

  it('goes on from what the storage has when an append fails, whether or not the entry got there', async () => {
    const log = memoryLog();
    let fault: 'none' | 'before' | 'after' = 'none';
    const record = await memoryRecord({
      ...log,
      async appendLog(appended) {
        if (fault === 'before') throw new CestaError('storage.failed', 'no space');
        await log.appendLog(appended);
        if (fault === 'after') throw new CestaError('storage.failed', 'no answer');
      },
    });
    await record.append(planAt(1));
    for (fault of ['before', 'after'] as const) await expect(record.append(planAt(fault === 'before' ? 2 : 3))).rejects.toMatchObject({ code: 'storage.failed' });
    expect(record.size).toBe(1);
    fault = 'none';
    expect(await record.append(planAt(2))).toBe(2);
    await expect(record.append(planAt(3))).rejects.toMatchObject({ code: 'log.inconsistent' });
    expect(log.entries.map(decodeEntry)).toEqual([planAt(1), planAt(3), planAt(2)]);
    await openEvidence(planAt(3), record.evidence(1), recordKey.publicKey, noWitnesses);
  });

  it('is the same after a restart', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    for (let number = 1; number <= 300; number += 1) await record.append(planAt(number));
    const again = await memoryRecord(log);
    expect(again.checkpoint()).toBe(record.checkpoint());
    expect(again.evidence(100)).toEqual(record.evidence(100));
    expect(await again.append(planAt(301))).toBe(300);
  });

  it('does not open when entries were changed, removed or contradict one another', async () => {
    const open = async (spoil: (log: ReturnType<typeof memoryLog>) => void): Promise<unknown> => {
      const log = memoryLog();
      const record = await memoryRecord(log);
      for (const number of [1, 2, 3]) await record.append(planAt(number));
      spoil(log);
      return memoryRecord(log);
    };
    const failed = { code: 'storage.failed' };
    await expect(open(({ entries }) => void (entries[1] = encodeEntry(planAt(9))))).rejects.toMatchObject({ ...failed, message: expect.stringContaining('which were published') as unknown });
    await expect(open(({ entries }) => void entries.pop())).rejects.toMatchObject(failed);
    await expect(open(({ entries }) => void (entries[1] = entries[0]))).rejects.toMatchObject({ ...failed, message: expect.stringContaining('entry 1: ') as unknown });
    await expect(open(({ entries }) => void (entries[1] = entries[1].slice(1)))).rejects.toMatchObject(failed);
    await expect(open(({ settings }) => void settings.set('log-head', 'rubbish'))).rejects.toMatchObject(failed);
    // An entry that became durable when its head did not is no damage.
    await expect(open(({ entries }) => void entries.push(encodeEntry(planAt(4))))).resolves.toBeDefined();
  });
});

describe('tiles of the record', () => {
  it('give the root of its head and its entries, full and partial', async () => {
    const log = memoryLog();
    for (let number = 1; number <= 600; number += 1) log.entries.push(encodeEntry(planAt(number)));
    const record = await memoryRecord(log);
    const { size, root } = await openHead(record.checkpoint());
    const tiles = new Map<string, Uint8Array>();
    for (const [level, index] of [[0, 0], [0, 1], [0, 2], [1, 0]]) {
      const address = { level, index, width: widthAt({ level, index }, size) };
      tiles.set(tilePath(address), (await record.read(address)) ?? new Uint8Array(0));
    }
    const read = subtreesFromTiles(size, (address) => tiles.get(tilePath(address)) ?? new Uint8Array(0));
    expect(rangeHash(read, 0, size)).toEqual(root);
    const bundle = await record.read({ level: 'entries', index: 2, width: 88 });
    expect(decodeBundle(bundle ?? new Uint8Array(0), 88).map(decodeEntry)[87]).toEqual(planAt(600));
    expect(decodeBundle((await record.read({ level: 'entries', index: 0, width: 256 })) ?? new Uint8Array(0), 256)).toHaveLength(256);
  });

  it('are not there before their entries are', async () => {
    const record = await memoryRecord();
    for (const number of [1, 2, 3]) await record.append(planAt(number));
    for (const address of [{ level: 0, index: 0, width: 4 }, { level: 0, index: 0, width: 256 }, { level: 1, index: 0, width: 1 }, { level: 'entries', index: 1, width: 1 }] as const) {
      expect(await record.read(address)).toBeNull();
    }
    expect(await record.read({ level: 0, index: 0, width: 2 })).toHaveLength(64);
  });
});

describe('cosignatures', () => {
  it('of witnesses whom the operator named are served with the head, and after a restart', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log, witnesses);
    await record.append(planAt(1));
    for (const i of [0, 1, 1]) await record.cosign(cosigned(record.checkpoint(), i));
    const head = await openCheckpoint(record.checkpoint(), [logKey(recordKey.publicKey), ...witnesses], origin);
    expect(head.signatures.map(({ key }) => key.kind)).toEqual(['log', 'witness', 'witness']);
    expect((await memoryRecord(log, witnesses)).checkpoint()).toBe(record.checkpoint());
    expect(parseNote((await memoryRecord(log, witnesses.slice(1))).checkpoint()).signatures).toHaveLength(2);
  });

  it('count for the head they are over, also when the record went on meanwhile', async () => {
    const record = await memoryRecord(memoryLog(), witnesses);
    let heard = 0;
    const stop = record.onCosigned(() => void (heard += 1));
    const position = await record.append(planAt(1));
    const first = record.checkpoint();
    await record.append(planAt(2));
    expect(await record.cosign(cosigned(first, 0))).toMatchObject({ size: 1 });
    expect([record.isCosigned(position, 1), record.isCosigned(position, 2), record.isCosigned(1, 1), heard]).toEqual([true, false, false, 1]);
    const policy = { witnesses, quorum: 1 };
    expect(await openEvidence(planAt(1), record.evidence(position, 1), recordKey.publicKey, policy)).toMatchObject({ size: 1 });
    await expect(openEvidence(planAt(1), record.evidence(position), recordKey.publicKey, policy)).rejects.toMatchObject({ code: 'log.untrusted' });
    stop();
    await record.cosign(cosigned(first, 1));
    expect(heard).toBe(1);
  });

  it('are refused of strangers, when false, and over other heads', async () => {
    const record = await memoryRecord(memoryLog(), witnesses.slice(0, 1));
    await record.append(planAt(1));
    const checkpoint = record.checkpoint();
    const { text } = parseNote(checkpoint);
    await expect(record.cosign(cosigned(checkpoint, 1))).rejects.toMatchObject({ code: 'log.untrusted' });
    const forged = cosignNote(text, witnesses[0].name, witnessKeys[0], 5);
    await expect(record.cosign(formatNote({ text, signatures: [{ ...forged, signature: forged.signature.map((byte) => byte ^ 1) }] }))).rejects.toMatchObject({ code: 'log.untrusted' });
    const other = await memoryRecord(memoryLog(), witnesses);
    await other.append(planAt(2));
    await expect(record.cosign(cosigned(other.checkpoint(), 0))).rejects.toMatchObject({ code: 'protocol.out-of-order' });
    await expect(record.cosign('rubbish')).rejects.toMatchObject({ code: 'protocol.malformed' });
    await expect((await memoryRecord()).cosign(cosigned((await memoryRecord()).checkpoint(), 0))).rejects.toMatchObject({ code: 'log.untrusted' });
    expect(record.checkpoint()).toBe(checkpoint);
  });

  it('take nothing along that was not verified', async () => {
    const record = await memoryRecord(memoryLog(), witnesses);
    await record.append(planAt(1));
    const note = cosigned(record.checkpoint(), 0);
    const { text } = parseNote(note);
    const stranger = signingKey(new Uint8Array(32).fill(99));
    // Of the same name and another key: nobody asked for it.
    const smuggled = formatSignature(cosignNote(text, witnesses[0].name, stranger, 7));
    await record.cosign(`${note}${smuggled}`);
    expect(record.checkpoint()).not.toContain(smuggled.slice(-80));
    await openCheckpoint(record.checkpoint(), [logKey(recordKey.publicKey), ...witnesses], origin);
  });
});

describe('an equivocation', () => {
  const node = signingKey(new Uint8Array(32).fill(44));
  const answer = (text: string): Uint8Array => statement('r3', new Uint8Array(32), text);
  const say = (text: string) => ({ statement: answer(text), signature: node.sign(answer(text)) });

  it('is recorded once for a node and round, also over a restart', async () => {
    const log = memoryLog();
    const record = await memoryRecord(log);
    await record.append(planAt(1));
    expect(await record.equivocation(node.publicKey, 'trial-1', say('a'), say('b'))).toBe(1);
    expect(await record.equivocation(node.publicKey, 'trial-1', say('a'), say('c'))).toBe(1);
    expect(await (await memoryRecord(log)).equivocation(node.publicKey, 'trial-1', say('c'), say('d'))).toBe(1);
    expect(await record.equivocation(node.publicKey, 'trial-2', say('a'), say('c'))).toBe(2);
    expect(replayLog(log.entries, planRules)).toMatchObject({ inconsistency: null, totals: { equivocations: 2 } });
  });

  it('is refused without two different statements that the node signed', async () => {
    const record = await memoryRecord();
    for (const [first, second] of [[say('a'), say('a')], [say('a'), { ...say('b'), signature: say('a').signature }]]) {
      await expect(record.equivocation(node.publicKey, 'trial-1', first, second)).rejects.toMatchObject({ code: 'secagg.invalid' });
    }
    expect(record.size).toBe(0);
  });
});

