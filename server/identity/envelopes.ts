/**
 * Takes envelopes one at a time: limits, order, authority, signature, and only then the act. The number of each node is in
 * the storage, so that neither a restart nor a retry can make one request count twice.
 *
 * One at a time, since what one request may do depends on what the one before it wrote; they are rare and quick. The line
 * is bounded: strangers are turned away rather than queued without end.
 */
import { verifySignature } from '../../shared/ledger/signature.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { envelopeStatement, parseEnvelope, requireFresh, type Envelope, type Equivocation } from '../../shared/protocol/envelope.ts';
import { statusOf } from '../../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { EnvelopeRecord, IdentityChange, StoredAnswer } from '../storage/identity-records.ts';
import { authorise, type Authorised, type Decision, type DecisionContext } from './decisions.ts';
import type { Limiter } from './limits.ts';

export interface EnvelopeContext extends DecisionContext {
  readonly limiter: Limiter;
  readonly onEquivocation: (evidence: Equivocation) => void;
  /** What was written, before it is answered. */
  readonly onChange: (change: IdentityChange) => Promise<void>;
}

export interface Envelopes {
  /**
   * Acts on the text of one envelope and resolves to the answer.
   * @throws CestaError the refusal
   */
  receive(text: string): Promise<Json>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

const longestLine = 256;

export function createEnvelopes(context: EnvelopeContext): Envelopes {
  let line: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    receive(text) {
      const envelope = parseEnvelope(text);
      if (waiting >= longestLine) throw new CestaError('limit.rate', `requests: expected at most ${longestLine} waiting, got one more`);
      waiting += 1;
      const turn = line.then(() => handle(context, envelope));
      line = turn.catch(() => undefined).finally(() => (waiting -= 1));
      return turn;
    },
    idle: async () => void (await line),
  };
}

async function handle(context: EnvelopeContext, envelope: Envelope): Promise<Json> {
  const { header: { node, seq }, signature } = envelope;
  const { storage, limiter } = context;
  const statement = envelopeStatement(context.key.publicKey, envelope.header);
  const known = await storage.envelope(node, seq);
  if (known !== null && known.statement === bytesToHex(statement) && known.signature === signature) return repeat(known.answer);
  limiter.check('requestsPerNode', node);
  if (known !== null) return refuseSecond(context, envelope, known);
  requireFresh(envelope.header, context.dateMs());
  const last = await storage.lastSeq(node);
  if (seq <= last) throw new CestaError('protocol.replayed', `envelope seq: expected more than ${last}, got ${seq}`);
  const authorised = await authorise(context, envelope);
  const { organisation } = authorised;
  if (organisation !== null) limiter.check('requestsPerOrganisation', organisation);
  await requireSigned(context, envelope, statement);
  limiter.charge('requestsPerNode', node);
  if (organisation !== null) limiter.charge('requestsPerOrganisation', organisation);
  return act(context, { node, seq, statement: bytesToHex(statement), signature }, authorised);
}

async function requireSigned({ key }: EnvelopeContext, { header: { node }, signature }: Envelope, statement: Uint8Array): Promise<void> {
  if (!(await verifySignature(node, signature, statement))) {
    throw new CestaError('node.unauthorised', `envelope: expected a signature by ${node} for the coordinator ${key.publicKey}, got another`);
  }
}

/** The answer and its reason are kept with the change; a refusal is kept, too, so that its bytes are answered alike. */
async function act(context: EnvelopeContext, record: Omit<EnvelopeRecord, 'answer'>, authorised: Authorised): Promise<Json> {
  const { storage } = context;
  let decision: Decision;
  try {
    decision = await authorised.decide();
    await storage.commitIdentity({ ...record, answer: { kind: 'done', body: decision.body } }, decision.change);
  } catch (thrown) {
    const error = toCestaError(thrown);
    const { code, message } = error;
    // What failed on our side may be tried again with the same bytes.
    if (statusOf(error) < 500) await storage.commitIdentity({ ...record, answer: { kind: 'refused', code, message } }, { kind: 'none' });
    throw thrown;
  }
  await context.onChange(decision.change);
  return decision.body;
}

function repeat(answer: StoredAnswer): Json {
  if (answer.kind === 'refused') throw new CestaError(answer.code, answer.message);
  return answer.body;
}

/** A number was used before, for other bytes or another signature. */
async function refuseSecond(context: EnvelopeContext, envelope: Envelope, first: EnvelopeRecord): Promise<Json> {
  const { header: { node, seq }, signature } = envelope;
  const statement = envelopeStatement(context.key.publicKey, envelope.header);
  await requireSigned(context, envelope, statement);
  context.limiter.charge('requestsPerNode', node);
  const second = { statement: bytesToHex(statement), signature };
  if (second.statement === first.statement) return repeat(first.answer);
  context.onEquivocation({ node, first: { statement: first.statement, signature: first.signature }, second });
  throw new CestaError('envelope.equivocation', `envelope seq: expected the request that was signed under ${seq} before, got another`);
}
