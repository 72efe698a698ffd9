import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jsonDepth, parseBoundedJson } from '../../shared/protocol/bounded-json.ts';
import { bodyHashOf, clockToleranceMs, encodeEnvelope, envelopeStatement, maxEnvelopeLength, parseEnvelope, requireFresh, sealEnvelope } from '../../shared/protocol/envelope.ts';
import { isLoopbackHost, requireSecureAddress } from '../../shared/protocol/transport.ts';
import { isProven } from '../../shared/ledger/log-entries.ts';
import { verifySignature } from '../../shared/ledger/signature.ts';
import { isSignedBy, signingKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { codeOf } from '../client/fakes.ts';

const node = signingKey(randomBytes(32));
const coordinator = signingKey(randomBytes(32)).publicKey;
const seal = (changes: object = {}) => sealEnvelope(node, { type: 'enrol', body: { token: 'ab', shop: 'a' }, seq: 1, ts: 5_000, coordinator, ...changes });

describe('an envelope', () => {
  it('comes back as it was sealed, and verifies for the coordinator it was meant for only', async () => {
    const envelope = parseEnvelope(encodeEnvelope(seal()));
    expect(envelope).toEqual(seal());
    expect(await verifySignature(node.publicKey, envelope.signature, envelopeStatement(coordinator, envelope.header))).toBe(true);
    expect(await verifySignature(node.publicKey, envelope.signature, envelopeStatement('f'.repeat(64), envelope.header))).toBe(false);
  });

  it.each([['type', 'renew'], ['seq', 2], ['ts', 5_001], ['bodyHash', '0'.repeat(64)], ['node', '1'.repeat(64)]])('does not verify with another %s', async (field, value) => {
    const { header, signature } = seal();
    expect(await verifySignature(node.publicKey, signature, envelopeStatement(coordinator, { ...header, [field]: value }))).toBe(false);
  });

  it('has the same statement whatever the order of keys in which it arrived', () => {
    const { header } = seal();
    const turned = Object.fromEntries(Object.entries(header).reverse()) as typeof header;
    expect(envelopeStatement(coordinator, turned)).toEqual(envelopeStatement(coordinator, header));
    expect(bodyHashOf({ b: 1, a: 2 })).toBe(bodyHashOf({ a: 2, b: 1 }));
  });

  it.each<[string, string, string]>([
    ['no JSON', 'hello', 'protocol.malformed'],
    ['another body', encodeEnvelope({ ...seal(), body: { token: 'cd' } }), 'protocol.malformed'],
    ['a field too many', JSON.stringify({ ...seal(), admin: true }), 'protocol.malformed'],
    ['a field too many in its header', JSON.stringify({ ...seal(), header: { ...seal().header, admin: true } }), 'protocol.malformed'],
    ['a prototype key', JSON.stringify(seal()).replace('{"header"', '{"__proto__":{"x":1},"header"'), 'protocol.malformed'],
    ['a type nobody knows', JSON.stringify({ ...seal(), header: { ...seal().header, type: 'erase' } }), 'protocol.malformed'],
    ['a number that is none', JSON.stringify({ ...seal(), header: { ...seal().header, seq: 0 } }), 'protocol.malformed'],
    ['a short signature', JSON.stringify({ ...seal(), signature: 'ab' }), 'protocol.malformed'],
    ['deep nesting', encodeEnvelope(seal({ body: [[[[[[[]]]]]]] })), 'protocol.malformed'],
    ['too many bytes', encodeEnvelope(seal({ body: 'x'.repeat(maxEnvelopeLength) })), 'protocol.too-large'],
  ])('is refused with a code when it has %s', async (_what, text, code) => {
    expect(await codeOf(() => parseEnvelope(text))).toBe(code);
  });

  it('is fresh within two minutes of the clock of its reader, to either side', async () => {
    const { header } = seal({ ts: 1_000_000 });
    for (const nowMs of [1_000_000 - clockToleranceMs, 1_000_000, 1_000_000 + clockToleranceMs]) expect(await codeOf(() => requireFresh(header, nowMs))).toBe('no error');
    for (const nowMs of [999_999 - clockToleranceMs, 1_000_001 + clockToleranceMs]) expect(await codeOf(() => requireFresh(header, nowMs))).toBe('envelope.stale');
  });

  it('and another under its number are what the public record calls proven', async () => {
    const [first, second] = [seal(), seal({ body: {} })].map(({ header, signature }) => ({ statement: bytesToHex(envelopeStatement(coordinator, header)), signature }));
    expect(await isProven({ type: 'equivocation', node: node.publicKey, round: 'none', first, second })).toBe(true);
  });
});

describe('a signature that is checked at once', () => {
  it('agrees with the platform, and is false for what is malformed', () => {
    const statement = Uint8Array.of(1, 2, 3);
    const signature = node.sign(statement);
    expect(isSignedBy(node.publicKey, signature, statement)).toBe(true);
    expect(isSignedBy(node.publicKey, signature, Uint8Array.of(1, 2))).toBe(false);
    expect(isSignedBy(coordinator, signature, statement)).toBe(false);
    for (const [key, bad] of [['', signature], ['f'.repeat(64), signature], [node.publicKey, ''], [node.publicKey, signature.toUpperCase()]]) expect(isSignedBy(key, bad, statement)).toBe(false);
  });
});

describe('bounded JSON', () => {
  it('counts brackets outside of strings only', () => {
    expect(['1', '[]', '{"a":[1]}', '"[[["', '["\\"[[", {}]', '[[['].map(jsonDepth)).toEqual([0, 1, 2, 0, 2, 3]);
  });

  it('is measured before it is parsed', async () => {
    expect(await codeOf(() => parseBoundedJson('x', '['.repeat(100_000), { maxLength: 1_000_000, maxDepth: 8 }))).toBe('protocol.malformed');
    expect(await codeOf(() => parseBoundedJson('x', '[1]', { maxLength: 2, maxDepth: 8 }))).toBe('protocol.too-large');
    expect(parseBoundedJson('x', '[1]', { maxLength: 3, maxDepth: 1 })).toEqual([1]);
  });
});

describe('an address', () => {
  it('is within this machine only if it says so by number or as localhost', () => {
    expect(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'].map(isLoopbackHost)).toEqual(Array<boolean>(6).fill(true));
    expect(['0.0.0.0', '::', '10.0.0.1', 'example.org', 'localhost.example.org', '127.0.0.1.example.org', '1127.0.0.1', '128.0.0.1'].map(isLoopbackHost)).toEqual(Array<boolean>(8).fill(false));
  });

  it('may be in the clear within this machine, and nowhere else', async () => {
    for (const url of ['http://127.0.0.1:1', 'ws://localhost', 'https://example.org', 'wss://10.0.0.1']) expect(await codeOf(() => requireSecureAddress('x', new URL(url)))).toBe('no error');
    for (const url of ['http://example.org', 'ws://10.0.0.1:8787', 'http://0.0.0.0']) expect(await codeOf(() => requireSecureAddress('x', new URL(url)))).toBe('transport.insecure');
  });
});
