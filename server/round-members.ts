/** Who the members of a round are, and what it says to them. */
import { planStatement, type Plan } from '../shared/federation/plan.ts';
import type { GroupKeys } from '../shared/ledger/log-entries.ts';
import { bytesToHex } from '../shared/protocol/digest.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { ServerMessage } from '../shared/protocol/messages.ts';
import type { Blame } from '../shared/secagg/aggregator-state.ts';
import type { GroupMembers } from './masked-round.ts';
import type { RoundContext, Runner } from './round-effects.ts';
import type { RosterEntry } from './storage/participant-records.ts';
import type { Storage } from './storage/storage.ts';

export function invite({ context, invitation }: Runner, participant: string): void {
  context.gateway.send(participant, invitation);
}

/** The same for everybody. */
export function invitationTo({ key, ledger }: RoundContext, plan: Plan, planHash: string): ServerMessage {
  return { type: 'invite', plan, signature: key.sign(planStatement(planHash)), evidence: ledger.evidence };
}

/** The deadline travels as time left: clocks of different machines do not agree. */
export function train({ context, plan }: Runner, participant: string, deadline: number): void {
  context.gateway.send(participant, { type: 'train', round: plan.round, deadlineMs: Math.max(0, Math.round(deadline - context.clock.now())) });
}

/** Says again what was acknowledged. A report whose receipt is not durable yet is acknowledged when it is. */
export function acceptAgain({ context, plan, receipts }: Runner, participant: string): void {
  const receipt = receipts.of(participant);
  if (receipt !== null) context.gateway.send(participant, { type: 'accepted', round: plan.round, receipt });
}

export function rosterOf({ directory }: Runner, participants: readonly string[]): RosterEntry[] {
  return participants.map((participant) => {
    const node = directory.get(participant);
    if (node === undefined) throw new CestaError('internal', `roster: expected the key of ${participant}, got none`);
    return { participant, node };
  });
}

/** For the public record, which has no names. */
export function keysOfGroups(runner: Runner, groups: readonly GroupMembers[] | null): GroupKeys[] | null {
  return groups?.map(({ group, participants }) => ({ group, nodes: rosterOf(runner, participants).map(({ node }) => node) })) ?? null;
}

/** Long-term keys by participant: the names of shops are compared without case. */
export async function directoryOf(storage: Pick<Storage, 'nodes'>, participants: readonly string[]): Promise<Map<string, string>> {
  const wanted = new Set(participants);
  return new Map((await storage.nodes()).map(({ name, publicKey }): [string, string] => [name.toLowerCase(), publicKey]).filter(([name]) => wanted.has(name)));
}

/** A member broke a masked session: it is told, left out, and where it signed two statements, recorded. */
export function accuse({ context, plan, faulty, receipts }: Runner, directory: ReadonlyMap<string, string>, { id, stage, code, message, evidence }: Blame): void {
  const { gateway, ledger, logger } = context;
  logger.warn({ participant: id, round: plan.round, stage, code, reason: message }, 'participant excluded');
  gateway.refuse(id, new CestaError(code, message));
  receipts.exclude(id, code);
  if (code === 'secagg.invalid' || code === 'secagg.equivocation') faulty.add(id);
  const node = directory.get(id);
  // Keys may be signed twice in good faith, by a shop that started again.
  if (evidence === undefined || node === undefined || stage === 'keys') return;
  const [first, second] = [evidence.first, evidence.second].map(({ statement, signature }) => ({ statement, signature: bytesToHex(signature) }));
  ledger.equivocation(node, first, second).catch((error: unknown) => logger.error({ err: error, participant: id }, 'an equivocation could not be recorded'));
}
