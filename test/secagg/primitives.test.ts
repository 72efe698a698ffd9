/** Published vectors and agreement of the two providers; what is derived by hand says how. */
import * as nodeLibrary from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../shared/secagg/bytes.ts';
import { diffieHellman, type SecaggCrypto } from '../../shared/secagg/crypto.ts';
import { purposeKey, sessionKey, statement } from '../../shared/secagg/labels.ts';
import { addMask, seededWords } from '../../shared/secagg/prg.ts';
import { nodeCrypto } from '../../shared/secagg/node-crypto.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { platformCrypto } from '../../shared/secagg/web-crypto.ts';
import { keyOf, random } from './session.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const platform = platformCrypto();
const node = nodeCrypto(nodeLibrary);
const providers: readonly [string, SecaggCrypto][] = [['the platform', platform], ['Node', node], ['software', softwareCrypto]];

describe('HKDF (RFC 5869)', () => {
  const inputKey = new Uint8Array(22).fill(0x0b);
  const salt = hex('000102030405060708090a0b0c');
  const pseudoRandomKey = hex('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');

  it('extracts and expands as in test case 1', () => {
    for (const [, crypto] of providers) expect(sessionKey(crypto, inputKey, salt)).toEqual(pseudoRandomKey);
    expect(expand(sha256, pseudoRandomKey, hex('f0f1f2f3f4f5f6f7f8f9'), 42)).toEqual(hex('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'));
  });

  it('gives a key for each purpose that is one block of HMAC over the label, its parts and the counter', () => {
    const info = statement('box', 3, 4);
    for (const [, crypto] of providers) expect(purposeKey(crypto, pseudoRandomKey, 'box', 3, 4)).toEqual(Uint8Array.from(createHmac('sha256', pseudoRandomKey).update(info).update(Uint8Array.of(1)).digest()));
    const keys = [['box', 3, 4], ['box', 4, 3], ['mask', 3, 4]].map(([label, a, b]) => Buffer.from(purposeKey(platform, pseudoRandomKey, String(label), a, b)).toString('hex'));
    expect(new Set(keys).size).toBe(3);
  });
});

describe.each(providers)('X25519 (RFC 7748) by %s', (_, crypto) => {
  const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
  const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');

  it('agrees on the secret of section 6.1', async () => {
    expect(await crypto.x25519PublicKey(alice)).toEqual(hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'));
    expect(await crypto.x25519PublicKey(bob)).toEqual(hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    expect(await diffieHellman(crypto, alice, await crypto.x25519PublicKey(bob))).toEqual(hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'));
  });

  it('gives the vector of section 5.2 and the first step of its iteration', async () => {
    expect(await crypto.x25519(hex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'), hex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'))).toEqual(hex('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'));
    const nine = Uint8Array.of(9, ...new Uint8Array(31));
    expect(await crypto.x25519(nine, nine)).toEqual(hex('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'));
  });

  it.each(['00', '01', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`])('refuses the point %s of low order', async (point) => {
    expect(await diffieHellman(crypto, alice, hex(point.padEnd(64, '0')))).toBeNull();
  });
});

describe.each(providers)('AES-256 by %s', (_, crypto) => {
  it('counts from 0: the first blocks under the zero key are those that GCM test cases 13 and 14 show', async () => {
    const stream = crypto.keystream(new Uint8Array(32));
    expect(await stream.read(16)).toEqual(hex('dc95c078a2408989ad48a21492842087'));
    expect(await stream.read(32)).toEqual(hex('530f8afbc74536b9a963b4f1c4cb738bcea7403d4d606b6e074ec5d3baf39d18'));
  });

  it('is counter mode over the block cipher, whose vector in SP 800-38A F.5.5 its key gives', async () => {
    const key = hex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    const plain = hex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710');
    const counter = createCipheriv('aes-256-ctr', key, hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'));
    expect(Uint8Array.from(counter.update(plain))).toEqual(hex('601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6'));
    const blocks = Uint8Array.from({ length: 64 * 16 }, (__, i) => (i % 16 === 15 ? i >>> 4 : 0));
    const cipher = createCipheriv('aes-256-ecb', key, null);
    expect(await crypto.keystream(key).read(64 * 16)).toEqual(Uint8Array.from(cipher.update(blocks)));
  });

  it('seals as in GCM test cases 13 and 14, and opens only what is whole', async () => {
    const key = new Uint8Array(32);
    expect(await crypto.seal(key, new Uint8Array(0), new Uint8Array(0))).toEqual(hex('530f8afbc74536b9a963b4f1c4cb738b'));
    const sealed = await crypto.seal(key, new Uint8Array(16), new Uint8Array(0));
    expect(sealed).toEqual(hex('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'));
    expect(await crypto.open(key, sealed, new Uint8Array(0))).toEqual(new Uint8Array(16));
    for (let at = 0; at < sealed.length; at += 1) expect(await crypto.open(key, sealed.map((byte, i) => (i === at ? byte ^ 1 : byte)), new Uint8Array(0))).toBeNull();
    for (const [wrongKey, box, associated] of [[key.map(() => 1), sealed, ''], [key, sealed, '00'], [key, sealed.slice(1), ''], [key, new Uint8Array(3), '']] as const) expect(await crypto.open(wrongKey, box, hex(associated))).toBeNull();
  });
});

describe.each(providers)('Ed25519 (RFC 8032) by %s', (_, crypto) => {
  const publicKey = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const signature = hex('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');

  it('takes test 2 of section 7.1 and nothing else', async () => {
    expect(await crypto.verify(publicKey, signature, Uint8Array.of(0x72))).toBe(true);
    expect(await crypto.verify(publicKey, signature, Uint8Array.of(0x73))).toBe(false);
    for (let at = 0; at < 64; at += 7) expect(await crypto.verify(publicKey, signature.map((byte, i) => (i === at ? byte ^ 4 : byte)), Uint8Array.of(0x72))).toBe(false);
    for (const [key, signed] of [[publicKey.slice(1), signature], [publicKey, signature.slice(1)], [new Uint8Array(32).fill(255), signature], [new Uint8Array(0), new Uint8Array(0)]] as const) expect(await crypto.verify(key, signed, Uint8Array.of(0x72))).toBe(false);
  });

  it('refuses a second form of the same signature, with the group order added', async () => {
    const s = BigInt(`0x${Buffer.from(signature.slice(32)).reverse().toString('hex')}`) + ed25519.Point.Fn.ORDER;
    const second = Uint8Array.of(...signature.slice(0, 32), ...Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse());
    expect(await crypto.verify(publicKey, second, Uint8Array.of(0x72))).toBe(false);
  });

  it('refuses signatures with a part of small order, on which libraries disagree', async () => {
    const { Point } = ed25519;
    const message = Uint8Array.of(1, 2, 3);
    const torsion = Point.fromBytes(hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'));
    const scalar = 123_456_789n;
    const challenge = (first: Uint8Array, key: Uint8Array): bigint => BigInt(`0x${Buffer.from(sha512(Uint8Array.of(...first, ...key, ...message))).reverse().toString('hex')}`) % Point.Fn.ORDER;
    const packed = (first: Uint8Array, s: bigint): Uint8Array => Uint8Array.of(...first, ...Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse());
    const key = Point.BASE.multiply(scalar).toBytes();
    const mixed = Point.BASE.multiply(77n).add(torsion).toBytes();
    const withMixed = packed(mixed, (77n + challenge(mixed, key) * scalar) % Point.Fn.ORDER);
    // The one that lenient libraries take shows that the forgery is as meant.
    expect(ed25519.verify(withMixed, message, key)).toBe(true);
    expect(await crypto.verify(key, withMixed, message)).toBe(false);
    const identity = Point.ZERO.toBytes();
    expect(await crypto.verify(key, packed(identity, (challenge(identity, key) * scalar) % Point.Fn.ORDER), message)).toBe(false);
    expect(await crypto.verify(torsion.toBytes(), packed(identity, 0n), message)).toBe(false);
  });
});

describe('the platform and the software version', () => {
  it('give the same bytes for keys, secrets, boxes, hashes and signatures', async () => {
    for (let i = 0; i < 12; i += 1) {
      const [secret, other, text] = [randomBytes(random, 32), randomBytes(random, 32), randomBytes(random, 13 * i)];
      const publicKey = await platform.x25519PublicKey(other);
      expect(publicKey).toEqual(await softwareCrypto.x25519PublicKey(other));
      expect(await platform.x25519(secret, publicKey)).toEqual(await softwareCrypto.x25519(secret, publicKey));
      expect(await platform.seal(secret, text, other)).toEqual(await softwareCrypto.seal(secret, text, other));
      expect(await softwareCrypto.open(secret, await platform.seal(secret, text, other), other)).toEqual(text);
      expect(await node.x25519(secret, await node.x25519PublicKey(other))).toEqual(await softwareCrypto.x25519(secret, publicKey));
      expect(await node.open(secret, await platform.seal(secret, text, other), other)).toEqual(text);
      expect(await platform.open(secret, await node.seal(secret, text, other), other)).toEqual(text);
      expect(await platform.sha256(text)).toEqual(await node.sha256(text));
      expect(await platform.sha256(text)).toEqual(await softwareCrypto.sha256(text));
      expect(x25519.getPublicKey(other)).toEqual(publicKey);
      const signature = hex(keyOf(i).sign(text));
      for (const crypto of [platform, node, softwareCrypto]) expect(await crypto.verify(hex(keyOf(i).publicKey), signature, text)).toBe(true);
    }
  });

  it('give the same masks, however many words are read at once', async () => {
    const key = randomBytes(random, 32);
    const length = softwareCrypto.chunkBytes / 4 + 1001;
    const [one, two] = [new Int32Array(length), new Int32Array(length)];
    await addMask(platform, key, one, 1);
    await addMask(softwareCrypto, key, two, 1);
    const three = new Int32Array(length);
    await addMask(node, key, three, 1);
    expect(Buffer.compare(Buffer.from(three.buffer), Buffer.from(two.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(one.buffer), Buffer.from(two.buffer))).toBe(0);
    const words = await seededWords(platform, key, 10);
    expect(Array.from({ length: 3000 }, () => words.nextUint32() | 0)).toEqual([...one.subarray(0, 3000)]);
    await addMask(softwareCrypto, key, one, -1);
    expect(one.every((word) => word === 0)).toBe(true);
  });
});

describe('seeds', () => {
  it('carry all their bits: over 10,000 of them, and of the keys made from them, every bit takes both values', () => {
    const [ever, always] = [new Uint8Array(96), new Uint8Array(96).fill(255)];
    const seen = new Set<string>();
    for (let i = 0; i < 10_000; i += 1) {
      const seed = randomBytes(random, 32);
      const key = purposeKey(softwareCrypto, seed, 'mask', 0, 1);
      const first = softwareCrypto.keystream(seed).read(32);
      if (first instanceof Promise) throw new Error('expected an answer at once');
      Uint8Array.of(...seed, ...key, ...first).forEach((byte, at) => {
        ever[at] |= byte;
        always[at] &= byte;
      });
      seen.add(Buffer.from(seed).toString('hex'));
    }
    expect([ever, always, seen.size]).toEqual([new Uint8Array(96).fill(255), new Uint8Array(96), 10_000]);
  });
});
