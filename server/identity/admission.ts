/**
 * Who may connect. Cheap refusals first: revoked keys, missing or expired certificates and exhausted limits are turned away
 * before a signature is checked; a seat of an organisation is taken only by who proved its key.
 *
 * `open`: a name belongs to the key that used it first, which keeps others from posing as a shop that is known, and
 * nobody from joining under ten new names. `required`: the operator decides who joins, and how many of one owner.
 */
import { checkCertificateSignature, checkCertificateTerms } from '../../shared/identity/certificate.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { ClientMessage } from '../../shared/protocol/messages.ts';
import type { Limiter } from './limits.ts';

type Hello = Extract<ClientMessage, { type: 'hello' }>;

export const enrolmentModes = ['open', 'required'] as const;
export type EnrolmentMode = (typeof enrolmentModes)[number];

export interface Admission {
  /** Everything that needs no signature. @throws CestaError */
  greet(hello: Hello): void;
  /** Checks the certificate of a shop that proved its key, and charges its limits. @throws CestaError */
  verify(hello: Hello): Promise<void>;
  /** Takes a seat for a participant. @throws CestaError `enrolment.organisation-full` or `node.revoked` */
  enter(participant: string, hello: Hello): void;
  left(participant: string): void;
}

export interface AdmissionOptions {
  readonly enrolment: EnrolmentMode;
  readonly coordinatorKey: string;
  readonly nodesPerOrganisation: () => number;
  readonly limiter: Limiter;
  readonly isRevoked: (node: string) => boolean;
  /** Unix milliseconds. */
  readonly dateMs: () => number;
}

export interface SeatedAdmission extends Admission {
  /** Connected participants of a key. */
  seatsOf(node: string): string[];
}

interface Seat {
  readonly node: string;
  readonly organisation: string | null;
}

export function createAdmission(options: AdmissionOptions): SeatedAdmission {
  const { enrolment, coordinatorKey, nodesPerOrganisation, limiter, isRevoked, dateMs } = options;
  const seats = new Map<string, Seat>();

  function requireSeat(participant: string, organisation: string): void {
    let taken = 0;
    for (const [other, seat] of seats) if (other !== participant && seat.organisation === organisation) taken += 1;
    const most = nodesPerOrganisation();
    if (taken >= most) {
      throw new CestaError('enrolment.organisation-full', `organisation ${organisation}: expected at most ${most} nodes, got one more`);
    }
  }

  function requireAdmissible({ shop, publicKey, certificate }: Hello): void {
    if (isRevoked(publicKey)) throw new CestaError('node.revoked', `shop ${shop}: expected a key that is in force, got ${publicKey}, which was revoked`);
    if (certificate !== undefined) return checkCertificateTerms(certificate, { node: publicKey, shop, atMs: dateMs() });
    if (enrolment === 'required') throw new CestaError('enrolment.required', `shop ${shop}: expected a certificate of this coordinator, got none`);
  }

  return {
    greet(hello) {
      requireAdmissible(hello);
      limiter.check('connectsPerNode', hello.publicKey);
      if (hello.certificate === undefined) return;
      const { organisation } = hello.certificate.cert;
      limiter.check('connectsPerOrganisation', organisation);
      requireSeat(hello.shop.toLowerCase(), organisation);
    },
    async verify({ publicKey, certificate }) {
      limiter.charge('connectsPerNode', publicKey);
      if (certificate === undefined) return;
      await checkCertificateSignature(certificate, coordinatorKey);
      limiter.charge('connectsPerOrganisation', certificate.cert.organisation);
    },
    enter(participant, hello) {
      // Both may have changed while signatures were checked.
      requireAdmissible(hello);
      const organisation = hello.certificate?.cert.organisation ?? null;
      if (organisation !== null) requireSeat(participant, organisation);
      seats.set(participant, { node: hello.publicKey, organisation });
    },
    left: (participant) => void seats.delete(participant),
    seatsOf: (node) => [...seats].filter(([, seat]) => seat.node === node).map(([participant]) => participant),
  };
}
