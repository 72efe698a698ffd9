import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRecordChecks, type RecordChecksOptions } from '../../client/record-checks.ts';
import { openHeadMemory } from '../../client/shop/head-file.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import type { Evidence } from '../../shared/ledger/evidence.ts';
import { logOrigin } from '../../shared/ledger/checkpoint.ts';
import { cosignNote, formatNote, parseNote, type NoteKey } from '../../shared/ledger/signed-note.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { examplePlan } from '../federation/plans.ts';
import { fakeRecord, type FakeRecord } from './fake-record.ts';
import { codeOf } from './fakes.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-record-'));
afterAll(() => rmSync(root, { recursive: true }));

const key = signingKey(randomBytes(32));
const planAt = (number: number): Plan => examplePlan({ round: `main-${number}` });

interface Rig {
  readonly folder: string;
  /** The code that the plan is refused with, or `no error`. */
  readonly ask: (plan: Plan, evidence: Evidence | null, record?: FakeRecord) => Promise<string>;
  /** The code with which the newest head is refused, or `no error`. */
  readonly follow: (record: FakeRecord) => Promise<string>;
  readonly fetched: string[];
}

function rig(options: Partial<RecordChecksOptions> = {}, folder = mkdtempSync(join(root, 'shop-'))): Rig {
  let served: FakeRecord | null = null;
  const fetched: string[] = [];
  const checks = createRecordChecks({
    memory: openHeadMemory(folder),
    policy: { witnesses: [], quorum: 0 },
    readTile(address) {
      fetched.push(String(address.level));
      const tile = served?.tile(address) ?? null;
      return tile === null ? Promise.reject(new CestaError('network.unreachable', 'no tile')) : Promise.resolve(tile);
    },
    readHead: () => Promise.resolve(served?.checkpoint() ?? ''),
    ...options,
  });
  return {
    folder,
    fetched,
    follow(record) {
      served = record;
      return codeOf(() => checks.follow(key.publicKey));
    },
    ask(plan, evidence, record) {
      served = record ?? served;
      return codeOf(() => checks.check(plan, evidence, key.publicKey));
    },
  };
}

const conflictsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('record-conflict-'));

describe('an invitation to a plan in the public record', () => {
  it('is taken, again and again, while the record grows by appending alone', async () => {
    const record = fakeRecord(key);
    const { ask, folder, fetched } = rig();
    for (let number = 1; number <= 20; number += 1) expect(await ask(planAt(number), record.evidence(planAt(number)), record)).toBe('no error');
    expect(fetched.length).toBeGreaterThan(0);
    expect(openHeadMemory(folder).read(logOrigin(key.publicKey))).toMatchObject({ size: 20, checkpoint: record.checkpoint() });
    // The same head a second time needs no tile.
    fetched.length = 0;
    expect(await ask(planAt(20), record.evidence(planAt(20)), record)).toBe('no error');
    expect(fetched).toEqual([]);
  });

  it('is not, once the record of a round that is over was taken back', async () => {
    const record = fakeRecord(key);
    const before = fakeRecord(key);
    const { ask, follow, folder } = rig();
    for (const each of [record, before]) each.evidence(planAt(1));
    record.evidence(planAt(2));
    expect(await follow(record)).toBe('no error');
    expect(openHeadMemory(folder).read(logOrigin(key.publicKey))).toMatchObject({ size: 2 });
    // The coordinator was restored to before the second round, and another second one is in its record.
    expect(await follow(before)).toBe('log.inconsistent');
    expect(await ask(planAt(3), before.evidence(planAt(3)), before)).toBe('log.inconsistent');
    expect(await follow(fakeRecord(signingKey(randomBytes(32))))).toBe('log.untrusted');
    expect(conflictsIn(folder).length).toBeGreaterThan(0);
  });

  it('may skip heads, of hundreds of entries, over a restart', async () => {
    const record = fakeRecord(key);
    const first = rig();
    for (let number = 1; number <= 300; number += 1) record.evidence(planAt(number));
    expect(await first.ask(planAt(7), record.evidence(planAt(7)), record)).toBe('no error');
    for (let number = 301; number <= 700; number += 1) record.evidence(planAt(number));
    expect(await rig({}, first.folder).ask(planAt(700), record.evidence(planAt(700)), record)).toBe('no error');
  }, 60_000);
});

describe('an invitation is refused', () => {
  const record = fakeRecord(key);
  const evidence = record.evidence(planAt(1));

  it('without evidence, with a head of another key, and with none at all', async () => {
    const { ask } = rig();
    expect(await ask(planAt(1), null)).toBe('log.untrusted');
    expect(await ask(planAt(1), fakeRecord(signingKey(randomBytes(32))).evidence(planAt(1)))).toBe('log.untrusted');
    expect(await ask(planAt(1), { ...evidence, checkpoint: 'nothing' })).toBe('protocol.malformed');
    const note = parseNote(evidence.checkpoint);
    const forged = { ...note.signatures[0], signature: note.signatures[0].signature.map((byte) => byte ^ 1) };
    expect(await ask(planAt(1), { ...evidence, checkpoint: formatNote({ text: note.text, signatures: [forged] }) })).toBe('log.untrusted');
  });

  it('to another plan than the one that was recorded, or by a proof of another entry', async () => {
    const { ask } = rig();
    const two = record.evidence(planAt(2));
    expect(await ask({ ...planAt(2), deadlines: { recruitingMs: 1, trainingMs: 1 } }, two)).toBe('log.inconsistent');
    for (const wrong of [{ index: 0 }, { index: 7 }, { proof: [] }, { proof: ['00'.repeat(32)] }, { proof: [...two.proof, '00'.repeat(32)] }]) {
      expect([wrong, await ask(planAt(2), { ...two, ...wrong })]).toEqual([wrong, 'log.inconsistent']);
    }
    expect(await ask(planAt(2), two, record)).toBe('no error');
  });

  it('by a record that was rolled back, and both heads are kept', async () => {
    const { ask, folder } = rig();
    const long = fakeRecord(key);
    const old = long.evidence(planAt(1));
    expect(await ask(planAt(5), long.evidence(planAt(5)), long)).toBe('no error');
    expect(await ask(planAt(1), old, long)).toBe('log.inconsistent');
    expect(conflictsIn(folder)).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(folder, conflictsIn(folder)[0]), 'utf8'))).toEqual({ known: long.checkpoint(2), offered: old.checkpoint });
    // What was remembered stays.
    expect(openHeadMemory(folder).read(logOrigin(key.publicKey))?.size).toBe(2);
  });

  it('by a record that was rewritten, whether it is as long or longer, whatever tiles it serves', async () => {
    const { ask, folder } = rig();
    const honest = fakeRecord(key);
    for (const number of [1, 2, 3]) honest.evidence(planAt(number));
    expect(await ask(planAt(3), honest.evidence(planAt(3)), honest)).toBe('no error');
    const fork = fakeRecord(key);
    for (const number of [1, 9, 3]) fork.evidence(planAt(number));
    expect(await ask(planAt(3), fork.evidence(planAt(3)), fork)).toBe('log.inconsistent');
    const longer = fork.evidence(planAt(4));
    expect(await ask(planAt(4), longer, fork)).toBe('log.inconsistent');
    expect(await ask(planAt(4), longer, honest)).toBe('network.unreachable');
    expect(conflictsIn(folder)).toHaveLength(2);
    expect(await ask(planAt(4), honest.evidence(planAt(4)), honest)).toBe('no error');
  });

  it('while what was seen before cannot be read', async () => {
    const { ask, folder } = rig();
    expect(await ask(planAt(1), evidence, record)).toBe('no error');
    const [file] = readdirSync(folder);
    for (const text of ['', '{', '{}', JSON.stringify({ origin: 'other', size: 0, root: '00'.repeat(32), checkpoint: '' })]) {
      writeFileSync(join(folder, file), text);
      expect(await ask(planAt(1), evidence)).toBe('storage.failed');
    }
  });

  it('by one of two checks at the same time, when they cannot both be true', async () => {
    const { ask } = rig();
    const [a, b] = [fakeRecord(key), fakeRecord(key)];
    const answers = await Promise.all([ask(planAt(1), a.evidence(planAt(1))), ask(planAt(2), b.evidence(planAt(2)))]);
    expect(answers.sort()).toEqual(['log.inconsistent', 'no error']);
  });
});

describe('a quorum of witnesses', () => {
  const keys = [1, 2, 3].map(() => signingKey(randomBytes(32)));
  const witnesses: NoteKey[] = keys.map(({ publicKey }, i) => ({ name: `w${i}`, publicKey, kind: 'witness' }));
  const signedBy = (evidence: Evidence, ...signers: number[]): Evidence => {
    const note = parseNote(evidence.checkpoint);
    return { ...evidence, checkpoint: formatNote({ text: note.text, signatures: [...note.signatures, ...signers.map((i) => cosignNote(note.text, `w${i}`, keys[i], 1_700_000_000))] }) };
  };

  it('has to have signed the head, each with its own name', async () => {
    const record = fakeRecord(key);
    const evidence = record.evidence(planAt(1));
    const { ask } = rig({ policy: { witnesses, quorum: 2 } });
    expect(await ask(planAt(1), evidence)).toBe('log.untrusted');
    expect(await ask(planAt(1), signedBy(evidence, 1))).toBe('log.untrusted');
    expect(await ask(planAt(1), signedBy(evidence, 1, 1))).toBe('log.untrusted');
    expect(await ask(planAt(1), signedBy(evidence, 0, 2))).toBe('no error');
  });

  it('must be one that the named witnesses can meet', async () => {
    for (const policy of [{ witnesses, quorum: 4 }, { witnesses, quorum: -1 }, { witnesses, quorum: 0.5 }, { witnesses: [witnesses[0], { ...witnesses[1], name: 'w0' }], quorum: 1 }, { witnesses: [witnesses[0], { ...witnesses[0], name: 'w9' }], quorum: 1 }]) {
      expect(await codeOf(() => rig({ policy }))).toBe('config.invalid');
    }
  });
});
