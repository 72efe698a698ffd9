/**
 * Node's primitives for all participants of one process. Whether a signature verifies does not depend on who asks, and of a
 * roster everybody asks: each answer is computed once. Everything else every participant computes for itself.
 */
import * as crypto from 'node:crypto';
import type { SecaggCrypto } from '../../../shared/secagg/crypto.ts';
import { nodeCrypto } from '../../../shared/secagg/node-crypto.ts';

export function sharedCrypto(): SecaggCrypto {
  const primitives = nodeCrypto(crypto);
  const answers = new Map<string, ReturnType<SecaggCrypto['verify']>>();
  return {
    ...primitives,
    verify(publicKey, signature, statement) {
      // Of these lengths the parts can be told apart in what they are joined to.
      if (publicKey.length !== 32 || signature.length !== 64) return false;
      const question = Buffer.concat([publicKey, signature, statement]).toString('latin1');
      let answer = answers.get(question);
      if (answer === undefined) {
        answer = primitives.verify(publicKey, signature, statement);
        answers.set(question, answer);
      }
      return answer;
    },
  };
}
