/**
 * The operators of a coordinator, in memory as in the storage: one process writes both. The first one is made at the first
 * start; the last one cannot be removed.
 *
 * A refused login says the same, after the same work, whether the token or the code was wrong. Failures are counted by the
 * token that was presented, known or not: nobody without the token can make its operator wait, and whoever has a token but
 * no code runs out of tries (5, then one in five minutes, with 3 codes of a million that count at a time).
 */
import type { Logger } from 'pino';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import { createTokenBuckets } from '../../shared/protocol/token-buckets.ts';
import type { NewOperator, OperatorRecord, OperatorRecords } from '../storage/operator-records.ts';
import { createCredentials, openTotpSecret, operatorTokenHash, type OperatorCredentials } from './credentials.ts';
import { totpStep } from './totp.ts';

export interface Operators {
  /**
   * Makes the first operator where there never was one, to be shown to whoever started the coordinator; else null. Call it
   * once the start has succeeded: credentials of a start that failed would be lost.
   */
  makeFirst(): Promise<OperatorCredentials | null>;
  list(): readonly Pick<OperatorRecord, 'name' | 'createdAt'>[];
  /** Digest of the token of an operator in force, or null. */
  tokenHashOf(name: string): string | null;
  /** Whose token it is, without a word on whether more is right. */
  holderOf(token: string): string | null;
  /** @throws CestaError `admin.unauthorised`, or `limit.rate` after too many failures */
  verify(token: string, code: string): Promise<Pick<OperatorRecord, 'name' | 'tokenHash'>>;
  /** @throws CestaError `operator.exists` */
  add(name: string): Promise<OperatorCredentials>;
  /** @throws CestaError `operator.unknown` or `operator.last` */
  remove(name: string): Promise<void>;
  /** Takes note of an operator that is in the storage already. */
  taken(operator: NewOperator): void;
}

export interface OperatorsParts {
  readonly storage: OperatorRecords;
  /** Of the coordinator. */
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Live = Omit<OperatorRecord, 'lastTotpStep'> & { lastTotpStep: number };

const firstName = 'admin';
const failures = { burst: 5, perSecond: 1 / 300 };

/** @throws CestaError `storage.failed` */
export async function openOperators({ storage, key, clock, logger }: OperatorsParts): Promise<Operators> {
  const live = new Map<string, Live>((await storage.operators()).map((record) => [record.name, { ...record }]));
  const take = (kept: NewOperator): void => void live.set(kept.name, { ...kept, lastTotpStep: 0, createdAt: clock.date().toISOString() });
  return {
    async makeFirst() {
      if (live.size > 0) return null;
      const { shown, kept } = createCredentials(key, firstName);
      await storage.putOperator(kept);
      take(kept);
      logger.info({ operator: firstName }, 'first operator made');
      return shown;
    },
    list: () => [...live.values()].map(({ name, createdAt }) => ({ name, createdAt })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    tokenHashOf: (name) => live.get(name)?.tokenHash ?? null,
    holderOf: (token) => holderOf(live, operatorTokenHash(token))?.name ?? null,
    verify: createVerifier({ storage, key, clock, logger }, live),
    async add(name) {
      if (live.has(name)) throw new CestaError('operator.exists', `operator: expected a new name, got ${name}`);
      const { shown, kept } = createCredentials(key, name);
      // At once: the same name may be asked for twice at a time.
      take(kept);
      try {
        await storage.putOperator(kept);
      } catch (error) {
        live.delete(name);
        throw error;
      }
      return shown;
    },
    async remove(name) {
      const operator = live.get(name);
      if (operator === undefined) throw new CestaError('operator.unknown', `operator: expected one that is in force, got ${name}`);
      if (live.size === 1) throw new CestaError('operator.last', `operator: expected another one beside ${name}, got none`);
      // At once: two operators may remove each other at a time.
      live.delete(name);
      try {
        await storage.revokeOperator(name);
      } catch (error) {
        live.set(name, operator);
        throw error;
      }
    },
    taken: take,
  };
}

function holderOf(live: ReadonlyMap<string, Live>, tokenHash: string): Live | null {
  for (const operator of live.values()) if (operator.tokenHash === tokenHash) return operator;
  return null;
}

function createVerifier({ storage, key, clock, logger }: OperatorsParts, live: ReadonlyMap<string, Live>): Operators['verify'] {
  // Two sets of buckets: strangers with many tokens must not crowd out the count of a real one.
  const known = createTokenBuckets(failures, () => clock.now());
  const unknown = createTokenBuckets(failures, () => clock.now());
  const decoy = createCredentials(key, 'nobody').kept;
  return async (token, code) => {
    const tokenHash = operatorTokenHash(token);
    const operator = holderOf(live, tokenHash);
    const tries = operator === null ? unknown : known;
    if (!tries.has(tokenHash)) throw new CestaError('limit.rate', `login: expected at most ${failures.burst} failures with one token, got more; one is forgotten every ${1 / failures.perSecond} seconds`);
    const secret = openTotpSecret(key, operator ?? decoy);
    if (secret === null) logger.error({ operator: operator?.name }, 'the second factor in the database does not belong to this operator and coordinator');
    const step = totpStep(secret ?? new Uint8Array(1), code, clock.date().getTime());
    if (operator === null || secret === null || step === null || step <= operator.lastTotpStep) {
      tries.take(tokenHash);
      throw new CestaError('admin.unauthorised', 'login: expected the token of an operator and a code that was not used, got others');
    }
    // Before anything is awaited, so that the code cannot count a second time meanwhile.
    operator.lastTotpStep = step;
    await storage.noteTotpStep(operator.name, step);
    return { name: operator.name, tokenHash };
  };
}
