import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../shared/ledger/base64.ts';
import { checkpointText, logKey, logOrigin, openCheckpoint, parseCheckpointText, signCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { emptyRoot, leafHash } from '../../shared/ledger/merkle-tree.ts';
import { cosignNote, formatNote, formatSignature, noteKeyId, parseNote, signNote, verifyNote, type NoteKey } from '../../shared/ledger/signed-note.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';

const key = signingKey(new Uint8Array(32).fill(1));
const other = signingKey(new Uint8Array(32).fill(2));
const origin = logOrigin(key.publicKey);
const root = leafHash(new Uint8Array(0));
const note = signCheckpoint({ size: 1, root }, key);

// The example of golang.org/x/mod/sumdb/note.
const peterText = 'If you think cryptography is the answer to your problem,\nthen you don\'t know what your problem is.\n';
const peterLine = '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const peterVerifier = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const peterSecret = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';

function keyMaterial(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes?.[0] !== 1) throw new Error('expected an Ed25519 key');
  return bytes.slice(1);
}

const peter: NoteKey = { name: 'PeterNeumann', publicKey: bytesToHex(keyMaterial(peterVerifier.split('+').slice(2).join('+'))), kind: 'log' };

describe('signed notes', () => {
  it('match the published example: key id, signature, whole note', async () => {
    expect(noteKeyId(peter)).toBe('c74f20a3');
    const signature = signNote(peterText, 'PeterNeumann', signingKey(keyMaterial(peterSecret)));
    expect(formatSignature(signature)).toBe(peterLine);
    const published = `${peterText}\n${peterLine}`;
    expect(formatNote(parseNote(published))).toBe(published);
    expect(await verifyNote(parseNote(published), [peter])).toEqual([{ key: peter, time: null }]);
  });

  it('keep empty lines in their text', () => {
    const text = 'first\n\nsecond\n';
    expect(parseNote(`${text}\n${peterLine}`).text).toBe(text);
  });

  it('are refused when they are not of the format', () => {
    const wrong: readonly unknown[] = [
      null, 7, '', 'text', 'text\n', `text\n${peterLine}`, `text\n\n${peterLine.slice(0, -1)}`, `text\n\n${peterLine}\n`, 'text\n\n\u2014 name\n', 'text\n\n\u2014 name AAAA\n',
      'text\n\n\u2014 a+b AAAAAAA=\n', 'text\n\n- name AAAAAAAA\n', `te\u0001xt\n\n${peterLine}`, `te\rxt\n\n${peterLine}`, `\ud800\n\n${peterLine}`, `text\n\n${peterLine.repeat(101)}`, 'x'.repeat(70_000),
    ];
    for (const value of wrong) expect(() => parseNote(value)).toThrow(expect.objectContaining({ code: 'protocol.malformed' }));
  });

  it('ignore unknown keys, but reject a false signature of a known one', async () => {
    const strange: NoteKey = { name: 'strange', publicKey: other.publicKey, kind: 'log' };
    const both = formatNote({ text: peterText, signatures: [signNote(peterText, 'strange', other), ...parseNote(`${peterText}\n${peterLine}`).signatures] });
    expect(await verifyNote(parseNote(both), [peter])).toHaveLength(1);
    expect(await verifyNote(parseNote(both), [strange, peter])).toHaveLength(2);
    await expect(verifyNote(parseNote(both), [{ ...strange, name: 'nobody' }])).rejects.toMatchObject({ code: 'log.untrusted' });
    const changed = parseNote(both.replace('cryptography', 'democracy'));
    await expect(verifyNote(changed, [peter])).rejects.toMatchObject({ code: 'log.untrusted' });
  });

  it('take names without white space and plus signs only', () => {
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\n']) expect(() => signNote('text\n', name, key)).toThrow('key name');
  });
});

describe('a checkpoint', () => {
  it('is three lines and a signature line', () => {
    expect(note.split('\n').slice(0, 4)).toEqual([origin, '1', 'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=', '']);
    expect(note.split('\n')[4]).toMatch(/^\u2014 cesta\/ledger\/[0-9a-f]{64} [A-Za-z0-9+/]{91}=$/u);
  });

  it('opens under the key of the log', async () => {
    const opened = await openCheckpoint(note, [logKey(key.publicKey)], origin);
    expect(opened).toMatchObject({ origin, size: 1 });
    expect(opened.root).toEqual(root);
  });

  it('does not open for another log, under another key, or after any change of its text', async () => {
    const keys = [logKey(key.publicKey)];
    await expect(openCheckpoint(note, keys, logOrigin(other.publicKey))).rejects.toMatchObject({ code: 'log.untrusted' });
    await expect(openCheckpoint(note, [logKey(other.publicKey)], origin)).rejects.toMatchObject({ code: 'log.untrusted' });
    await expect(openCheckpoint(note.replace('\n1\n', '\n2\n'), keys, origin)).rejects.toMatchObject({ code: 'log.untrusted' });
    await expect(openCheckpoint({ note }, keys, origin)).rejects.toMatchObject({ code: 'protocol.malformed' });
    await fc.assert(fc.asyncProperty(fc.nat({ max: note.length - 1 }), fc.integer({ min: 0x20, max: 0x7e }), async (at, code) => {
      const changed = `${note.slice(0, at)}${String.fromCharCode(code)}${note.slice(at + 1)}`;
      if (changed !== note) await expect(openCheckpoint(changed, keys, origin)).rejects.toThrow();
    }));
  });

  it('counts the cosignatures of known witnesses, with their time', async () => {
    const witness: NoteKey = { name: 'witness.example/w1', publicKey: other.publicKey, kind: 'witness' };
    const parsed = parseNote(note);
    const cosigned = note + formatSignature(cosignNote(parsed.text, witness.name, other, 1_700_000_000));
    const opened = await openCheckpoint(cosigned, [logKey(key.publicKey), witness], origin);
    expect(opened.signatures.map(({ key: { name }, time }) => [name, time])).toEqual([[origin, null], ['witness.example/w1', 1_700_000_000]]);
    expect((await openCheckpoint(cosigned, [logKey(key.publicKey)], origin)).signatures).toHaveLength(1);
    await expect(openCheckpoint(cosigned, [witness], origin)).rejects.toMatchObject({ code: 'log.untrusted' });
  });

  it('cannot be read from other text', () => {
    const lines = (size: string, rootLine = encodeBase64(root)): string => `origin\n${size}\n${rootLine}\n`;
    expect(parseCheckpointText(`${lines('0')}extension\n`)).toEqual({ origin: 'origin', size: 0, root });
    for (const text of [lines('01'), lines('-1'), lines('1.5'), lines('9'.repeat(17)), lines('1', 'AAAA'), lines('1', 'not base64'), `${lines('1')}\nx\n`, 'origin\n1\n', '\n1\n', '']) {
      expect(() => parseCheckpointText(text)).toThrow(expect.objectContaining({ code: 'protocol.malformed' }));
    }
    expect(() => checkpointText({ origin, size: -1, root: emptyRoot })).toThrow('size');
  });
});

describe('base 64', () => {
  it('is written and read as the standard says, and in one way only', () => {
    expect(encodeBase64(new TextEncoder().encode('foobar'))).toBe('Zm9vYmFy');
    expect(encodeBase64(new TextEncoder().encode('fo'))).toBe('Zm8=');
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }));
    for (const text of ['Zm8', 'Zm9=', 'Zm 8', 'Zm8=\n', 'Zm-_', '====']) expect(decodeBase64(text)).toBeNull();
  });
});
