/**
 * What a signed statement takes up: a place that its signer may fill once. Two different statements in one place
 * convict; two statements as such do not, since everybody signs many. Known are the answers of a masked session
 * (`shared/secagg/labels.ts` has their layout) and signed requests (`shared/protocol/envelope.ts`). Fresh keys of a
 * session (label r0) are none: who starts again within a round signs them twice in good faith.
 */
import { bytesToHex } from '../protocol/digest.ts';
import { envelopeDomain, envelopeHeaderSchema } from '../protocol/envelope.ts';
import { protocolName } from '../secagg/labels.ts';

const answers: ReadonlySet<string> = new Set(['r1', 'r2', 'r3', 'r4']);

/** The place as text; null for a statement of no known kind. */
export function placeOf(statement: Uint8Array): string | null {
  return placeInSession(statement) ?? placeOfRequest(statement);
}

function placeInSession(statement: Uint8Array): string | null {
  const parts = partsOf(statement);
  if (parts === null || parts.length < 3) return null;
  const [protocol, label] = parts.slice(0, 2).map((part) => new TextDecoder().decode(part));
  if (protocol !== protocolName || !answers.has(label) || parts[2].length !== 32) return null;
  return `${protocol} ${label} ${bytesToHex(parts[2])}`;
}

/** Parts behind their lengths in 4 big-endian bytes; null for anything else. */
function partsOf(statement: Uint8Array): Uint8Array[] | null {
  const view = new DataView(statement.buffer, statement.byteOffset, statement.byteLength);
  const parts: Uint8Array[] = [];
  let offset = 0;
  while (offset + 4 <= statement.length) {
    const end = offset + 4 + view.getUint32(offset);
    if (end > statement.length) return null;
    parts.push(statement.subarray(offset + 4, end));
    offset = end;
  }
  return offset === statement.length ? parts : null;
}

function placeOfRequest(statement: Uint8Array): string | null {
  try {
    const [domain, coordinator, header, ...rest] = new TextDecoder('utf-8', { fatal: true }).decode(statement).split('\n');
    if (domain !== envelopeDomain || rest.length > 0) return null;
    const { node, seq } = envelopeHeaderSchema.parse(JSON.parse(header));
    return `${domain} ${coordinator} ${node} ${seq}`;
  } catch {
    // Bytes that are no request.
    return null;
  }
}
