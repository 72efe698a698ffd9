import { describe, expect, it } from 'vitest';
import { placeOf } from '../../shared/ledger/equivocation.ts';
import { isProven } from '../../shared/ledger/log-entries.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { envelopeStatement, type EnvelopeHeader } from '../../shared/protocol/envelope.ts';
import { connectStatement } from '../../shared/protocol/messages.ts';
import { statement } from '../../shared/secagg/labels.ts';

const key = signingKey(new Uint8Array(32).fill(9));
const [session, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const header: EnvelopeHeader = { v: 1, type: 'renew', node: key.publicKey, seq: 7, ts: 1, bodyHash: 'a'.repeat(64) };
const coordinator = 'c'.repeat(64);

const proves = (first: Uint8Array, second: Uint8Array): Promise<boolean> => isProven({
  type: 'equivocation', node: key.publicKey, round: 'trial-1',
  first: { statement: bytesToHex(first), signature: key.sign(first) }, second: { statement: bytesToHex(second), signature: key.sign(second) },
});

describe('two statements of one key', () => {
  it('convict where they take the same place: one answer to one session, or one number of a request', async () => {
    for (const label of ['r1', 'r2', 'r3', 'r4']) expect(await proves(statement(label, session, 'yes'), statement(label, session, 'no'))).toBe(true);
    expect(await proves(envelopeStatement(coordinator, header), envelopeStatement(coordinator, { ...header, type: 'revoke' }))).toBe(true);
  });

  it('do not convict where everybody signs many: other sessions, labels, numbers, fresh keys, connects', async () => {
    const honest: [Uint8Array, Uint8Array][] = [
      [statement('r2', session, 'yes'), statement('r2', other, 'yes')],
      [statement('r2', session, 'yes'), statement('r3', session, 'yes')],
      [statement('r0', session, 'yes'), statement('r0', session, 'no')],
      [envelopeStatement(coordinator, header), envelopeStatement(coordinator, { ...header, seq: 8 })],
      [envelopeStatement(coordinator, header), envelopeStatement('d'.repeat(64), header)],
      [connectStatement('shop', 'a', 'corner', coordinator), connectStatement('shop', 'b', 'corner', coordinator)],
      [statement('r2', session, 'yes'), statement('r2', session, 'yes')],
    ];
    for (const [first, second] of honest) expect(await proves(first, second)).toBe(false);
  });

  it('have no place where they are malformed', () => {
    const good = statement('r2', session, 'yes');
    expect(placeOf(good)).not.toBeNull();
    for (const bad of [new Uint8Array(0), good.slice(0, -1), Uint8Array.of(...good, 0), statement('r2', new Uint8Array(31)), new TextEncoder().encode('cesta/envelope/v1\nx\n{')]) expect(placeOf(bad)).toBeNull();
  });
});
