import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addLog } from '../../../server/http/log.ts';
import { listen } from '../../../server/listen.ts';
import { errorSchema, cosignedSchema } from '../../../server/http/schemas.ts';
import type { Coordinator } from '../../../server/coordinator.ts';
import { logKey, logOrigin, openCheckpoint } from '../../../shared/ledger/checkpoint.ts';
import { decodeEntry, encodeEntry, planEntry } from '../../../shared/ledger/log-entries.ts';
import { createMerkleTree, leafHash } from '../../../shared/ledger/merkle-tree.ts';
import { cosignNote, formatNote, parseNote, type NoteKey } from '../../../shared/ledger/signed-note.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { decodeBundle } from '../../../shared/ledger/tiles.ts';
import { coordinatorFor, runRound } from '../support/coordinators.ts';
import { planOf, taskInput } from '../support/fixtures.ts';
import { memoryLog, memoryRecord } from '../support/records.ts';

const witness = signingKey(new Uint8Array(32).fill(21));
const witnesses: NoteKey[] = [{ name: 'auditor', publicKey: witness.publicKey, kind: 'witness' }];
const policy = { witnesses, quorum: 0 };

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();
const bytesOf = async (url: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(url)).arrayBuffer());
const codeOf = async (response: Response): Promise<string> => errorSchema.parse(await response.json()).error.code;
const headOf = async ({ url, publicKey }: Coordinator) => openCheckpoint(await textOf(`${url}/v1/log/checkpoint`), [logKey(publicKey), ...witnesses], logOrigin(publicKey));

function cosigned(checkpoint: string, key = witness, name = 'auditor'): string {
  const { text } = parseNote(checkpoint);
  return formatNote({ text, signatures: [cosignNote(text, name, key, 1_700_000_000)] });
}

describe('the log of a coordinator', () => {
  it('says what a round did, under the root of its signed head', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ mode: 'local' }) });
    expect((await headOf(coordinator)).size).toBe(0);
    const { done } = await runRound(coordinator.url, ['a', 'b']);
    const head = await headOf(coordinator);
    const entries = decodeBundle(await bytesOf(`${coordinator.url}/v1/log/tile/entries/000.p/${head.size}`), head.size);
    expect(entries.map(decodeEntry)).toMatchObject([
      { type: 'round-plan', plan: { round: 'trial-1' } },
      { type: 'roster', round: 'trial-1', members: { count: 2 } },
      { type: 'budget-spend', round: 'trial-1', events: [{ kind: 'skellam' }] },
      { type: 'survivors', members: { count: 2 } },
      { type: 'round-result', version: 1, release: done.sha256 },
    ]);
    const tree = createMerkleTree();
    for (const entry of entries) tree.append(leafHash(entry));
    expect(tree.root()).toEqual(head.root);
    const tile = await bytesOf(`${coordinator.url}/v1/log/tile/0/000.p/5`);
    expect(tile.slice(4 * 32)).toEqual(leafHash(entries[4]));
  });

  it('is revalidated where it grows', async () => {
    const { url } = await coordinatorFor();
    await runRound(url, ['a', 'b']);
    for (const [path, contentType] of [['checkpoint', 'text/plain; charset=utf-8'], ['tile/0/000.p/2', 'application/octet-stream']]) {
      const response = await fetch(`${url}/v1/log/${path}`);
      expect(response.headers.get('content-type')).toBe(contentType);
      expect(response.headers.get('cache-control')).toBe('public, no-cache');
      const again = await fetch(`${url}/v1/log/${path}`, { headers: { 'If-None-Match': response.headers.get('etag') ?? '' } });
      expect(again.status).toBe(304);
    }
  });

  it.each(['tile/0/000', 'tile/0/000.p/6', 'tile/0/000.p/0', 'tile/1/000.p/1', 'tile/entries/001.p/1', 'tile/0/0', 'tile/0/x000/000.p/1', 'tile/-1/000', 'tile/99/000', 'tile/0/..%2f..', 'tile', 'tile/', `tile/0/${'x001/'.repeat(99)}001`, 'nothing'])('is a coded 404 for %.60s', async (path) => {
    const { url } = await coordinatorFor();
    await runRound(url, ['a', 'b']);
    const response = await fetch(`${url}/v1/log/${path}`);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('http.not-found');
  });
});

describe('a full tile', () => {
  it('is served for ever', async () => {
    const log = memoryLog();
    for (let number = 1; number <= 300; number += 1) log.entries.push(encodeEntry(planEntry(planOf({}, number))));
    const app = express();
    addLog(app, await memoryRecord(log));
    const server = createServer(app);
    const url = await listen(server, '127.0.0.1', 0);
    onTestFinished(() => void server.close());
    for (const path of ['0/000', 'entries/000']) {
      const response = await fetch(`${url}/v1/log/tile/${path}`);
      expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, 200, 'public, max-age=31536000, immutable']);
    }
    expect((await fetch(`${url}/v1/log/tile/1/000.p/1`)).headers.get('cache-control')).toBe('public, no-cache');
  });
});

describe('POST /v1/log/cosignatures', () => {
  const post = (url: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> => fetch(`${url}/v1/log/cosignatures`, { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });

  it('adds the signature of a witness to the head that is served', async () => {
    const coordinator = await coordinatorFor({ witnesses: policy });
    const response = await post(coordinator.url, cosigned(await textOf(`${coordinator.url}/v1/log/checkpoint`)));
    expect(response.status).toBe(200);
    expect(cosignedSchema.parse(await response.json())).toEqual({ size: 0, cosignatures: 1 });
    expect((await headOf(coordinator)).signatures.map(({ key }) => key.name)).toContain('auditor');
  });

  it('refuses strangers, false signatures, other heads and bodies that are no note', async () => {
    const { url } = await coordinatorFor({ witnesses: policy });
    const checkpoint = await textOf(`${url}/v1/log/checkpoint`);
    const stranger = signingKey(new Uint8Array(32).fill(22));
    for (const [body, status, code] of [
      [cosigned(checkpoint, stranger, 'stranger'), 422, 'log.untrusted'],
      [cosigned(checkpoint, stranger), 422, 'log.untrusted'],
      [checkpoint, 422, 'log.untrusted'],
      [cosigned(checkpoint.replace('\n0\n', '\n1\n')), 409, 'protocol.out-of-order'],
      ['', 400, 'protocol.malformed'],
      [Uint8Array.of(0xff, 0xfe), 400, 'protocol.malformed'],
    ] as const) {
      const response = await post(url, body);
      expect([response.status, await codeOf(response)]).toEqual([status, code]);
    }
    expect(await textOf(`${url}/v1/log/checkpoint`)).toBe(checkpoint);
  });

  it('refuses a body that is too large before it has come', async () => {
    const { url } = await coordinatorFor({ witnesses: policy });
    const response = await post(url, 'x'.repeat(3_000_000));
    expect(response.status).toBe(413);
    expect(await codeOf(response)).toBe('protocol.too-large');
  });

  it('takes no cosignature where the operator named nobody', async () => {
    const { url } = await coordinatorFor();
    const response = await post(url, cosigned(await textOf(`${url}/v1/log/checkpoint`)));
    expect(await codeOf(response)).toBe('log.untrusted');
  });
});
