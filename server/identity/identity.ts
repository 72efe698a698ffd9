/**
 * Who the nodes of a federation are: enrolment, renewal, hand-over and revocation, and the admission of connections that
 * follows from them. What was decided is durable before it is answered or told.
 */
import type { Logger } from 'pino';
import type { RevocationReason } from '../../shared/identity/requests.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Equivocation } from '../../shared/protocol/envelope.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import type { IdentityChange, IdentityRecords } from '../storage/identity-records.ts';
import type { NewOperator } from '../storage/operator-records.ts';
import { createAdmission, type Admission, type EnrolmentMode } from './admission.ts';
import { createEnvelopes } from './envelopes.ts';
import { createLimiter, type IdentityLimits } from './limits.ts';

export interface IdentityOptions {
  /** `open` by default: see the admission for what each protects. */
  readonly enrolment?: EnrolmentMode;
  /** Nodes of one organisation that may be connected at a time, and so be in one cohort; 5 by default. */
  readonly nodesPerOrganisation?: number;
  /** A limit that changes with the tasks; the lower one counts. */
  readonly mostPerOrganisation?: () => number;
  readonly limits?: Partial<IdentityLimits>;
  /** Told once the certificate is durable. Awaited before the node hears of it; a failure is logged. */
  readonly onEnrolled?: (publicKey: string) => void | Promise<void>;
  readonly onRevoked?: (publicKey: string, reason: RevocationReason) => void | Promise<void>;
  /** Two requests that one key signed under one number. */
  readonly onEquivocation?: (evidence: Equivocation) => void | Promise<void>;
}

export interface Identity {
  readonly enrolment: EnrolmentMode;
  readonly admission: Admission;
  /** Takes one envelope. @throws CestaError the refusal */
  receive(text: string): Promise<Json>;
  /** Charges an address for a request or a connection. @throws CestaError `limit.rate` */
  chargeAddress(kind: 'connectsPerAddress' | 'requestsPerAddress' | 'loginsPerAddress', address: string): void;
  /** Says whom to cut off: revoked nodes that are connected. Set once the gateway stands. */
  onExpel(expel: (participant: string, error: CestaError) => void): void;
  /** Says who hears of operators that were made with the coordinator's own key. */
  onOperator(listener: (operator: NewOperator) => Promise<void>): void;
  /** Resolves when nothing is under way: the storage may be closed then. */
  idle(): Promise<void>;
}

export interface IdentityParts {
  readonly key: SigningKey;
  readonly storage: IdentityRecords;
  readonly clock: Clock;
  readonly logger: Logger;
}

const defaultNodesPerOrganisation = 5;

/** @throws CestaError `storage.failed` */
export async function openIdentity({ key, storage, clock, logger }: IdentityParts, options: IdentityOptions = {}): Promise<Identity> {
  const { enrolment = 'open', nodesPerOrganisation = defaultNodesPerOrganisation, mostPerOrganisation = () => Infinity, limits = {} } = options;
  // In memory: a revoked key is turned away before anything else is looked at.
  const revoked = new Set((await storage.revocations()).map(({ node }) => node));
  const isRevoked = (node: string): boolean => revoked.has(node);
  const dateMs = (): number => clock.date().getTime();
  const limiter = createLimiter(limits, clock);
  const admission = createAdmission({ enrolment, coordinatorKey: key.publicKey, nodesPerOrganisation: () => Math.min(nodesPerOrganisation, mostPerOrganisation()), limiter, isRevoked, dateMs });
  let expel: (participant: string, error: CestaError) => void = () => undefined;
  let tellOperator: (operator: NewOperator) => Promise<void> = () => Promise.resolve();

  async function withdraw(node: string, reason: RevocationReason): Promise<void> {
    revoked.add(node);
    const error = new CestaError('node.revoked', `node ${node}: expected a key that is in force, got one that was revoked (${reason})`);
    for (const participant of admission.seatsOf(node)) expel(participant, error);
    await tell(logger, 'onRevoked', () => options.onRevoked?.(node, reason));
  }

  async function onChange(change: IdentityChange): Promise<void> {
    switch (change.kind) {
      case 'none':
      case 'token':
      case 'renew':
        return;
      case 'enrol':
        logger.info({ node: change.certificate.cert.node, shop: change.certificate.cert.shop, organisation: change.certificate.cert.organisation }, 'node enrolled');
        return tell(logger, 'onEnrolled', () => options.onEnrolled?.(change.certificate.cert.node));
      case 'rotate':
        logger.info({ from: change.from, to: change.certificate.cert.node }, 'node handed over to a new key');
        await tell(logger, 'onEnrolled', () => options.onEnrolled?.(change.certificate.cert.node));
        return withdraw(change.from, 'retired');
      case 'revoke':
        logger.warn({ node: change.node, reason: change.reason }, 'node revoked');
        return withdraw(change.node, change.reason);
      case 'operator':
        logger.warn({ operator: change.operator.name }, 'operator made with the key of the coordinator');
        return tell(logger, 'onOperator', () => tellOperator(change.operator));
      default:
        return change satisfies never;
    }
  }

  /** Told beside the answer, and written down before the storage is closed. */
  let telling: Promise<unknown> = Promise.resolve();
  const envelopes = createEnvelopes({
    key, storage, limiter, isRevoked, dateMs, onChange,
    onEquivocation(evidence) {
      logger.warn({ node: evidence.node }, 'node signed two requests under one number');
      telling = Promise.all([telling, tell(logger, 'onEquivocation', () => options.onEquivocation?.(evidence))]);
    },
  });
  return {
    enrolment,
    admission,
    receive: (text) => envelopes.receive(text),
    chargeAddress: (kind, address) => limiter.charge(kind, address),
    onExpel: (target) => void (expel = target),
    onOperator: (listener) => void (tellOperator = listener),
    async idle() {
      await envelopes.idle();
      await telling;
    },
  };
}

/** A listener is somebody else's code: what was decided stays, whatever becomes of it. */
async function tell(logger: Logger, name: string, call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    logger.error({ err: error }, `${name} failed`);
  }
}
