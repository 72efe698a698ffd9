/** The nodes of a federation as an operator sees them: who they are, whether they may take part, and where they stand now. */
import type { Clock } from '../clock.ts';
import type { IdentityRecords } from '../storage/identity-records.ts';
import type { Storage } from '../storage/storage.ts';

/** `open`: known by first use alone, without a certificate. */
export const nodeEnrolments = ['enrolled', 'open', 'expired', 'revoked'] as const;
export const nodePresences = ['no', 'yes', 'ready'] as const;

export interface NodeStatus {
  readonly name: string;
  readonly publicKey: string;
  readonly organisation: string | null;
  readonly enrolment: (typeof nodeEnrolments)[number];
  readonly certificateExpires: string | null;
  /** Null for a key that no name belongs to any more. */
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  /** `ready`: may be invited. */
  readonly connected: (typeof nodePresences)[number];
  /** Whether it belongs to the open round. */
  readonly inRound: boolean;
}

/** Who is here now, by names in lower case. */
export interface Presence {
  connected(): readonly string[];
  ready(): readonly string[];
  inRound(): readonly string[];
}

type Records = Pick<Storage, 'nodes'> & Pick<IdentityRecords, 'certificates' | 'revocations'>;

/** By name; keys that were retired or revoked and hold no name any more come along. */
export async function listNodes(storage: Records, presence: Presence, clock: Pick<Clock, 'date'>): Promise<NodeStatus[]> {
  const [nodes, certificates, revocations] = await Promise.all([storage.nodes(), storage.certificates(), storage.revocations()]);
  const certs = new Map(certificates.map(({ cert }) => [cert.node, cert]));
  const revoked = new Set(revocations.map(({ node }) => node));
  const holders = new Set(nodes.map(({ publicKey }) => publicKey));
  const [connected, ready, inRound] = [new Set(presence.connected()), new Set(presence.ready()), new Set(presence.inRound())];
  const nowMs = clock.date().getTime();

  function describe(publicKey: string, name: string): Omit<NodeStatus, 'firstSeen' | 'lastSeen' | 'connected' | 'inRound'> {
    const cert = certs.get(publicKey) ?? null;
    const valid = cert !== null && nowMs < Date.parse(cert.notAfter) ? 'enrolled' : 'expired';
    const enrolment = revoked.has(publicKey) ? 'revoked' : cert === null ? 'open' : valid;
    return { name, publicKey, organisation: cert?.organisation ?? null, enrolment, certificateExpires: cert?.notAfter ?? null };
  }

  const present = nodes.map(({ name, publicKey, firstSeen, lastSeen }): NodeStatus => {
    const participant = name.toLowerCase();
    return { ...describe(publicKey, name), firstSeen, lastSeen, connected: ready.has(participant) ? 'ready' : connected.has(participant) ? 'yes' : 'no', inRound: inRound.has(participant) };
  });
  const former = [...revoked].filter((node) => !holders.has(node)).flatMap((node): NodeStatus[] => {
    const cert = certs.get(node);
    return cert === undefined ? [] : [{ ...describe(node, cert.shop), firstSeen: null, lastSeen: null, connected: 'no', inRound: false }];
  });
  // Sorting is stable: a former key comes after the one that has the name now.
  return [...present, ...former].sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
