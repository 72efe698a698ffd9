/** What shops say, as a task hears it that has a round open, or had one last. */
import { CestaError } from '../shared/protocol/errors.ts';
import type { RoundMessage } from './gateway/connection.ts';
import type { GatewayEvents } from './gateway/context.ts';
import type { Gateway } from './gateway.ts';
import type { RoundOutcome, RoundRun } from './rounds.ts';

export interface RoundsOfTask {
  readonly run: RoundRun | null;
  /** The last round that ended, for those who were away then. */
  readonly last: RoundOutcome | null;
}

/** @param onCrowd hears when shops came or went */
export function eventsOfRounds(rounds: RoundsOfTask, gateway: Pick<Gateway, 'send'>, onCrowd: () => void): GatewayEvents {
  return {
    ready(participant, resumed) {
      if (resumed && rounds.run !== null) rounds.run.resumed(participant);
      // Nobody waits for what a process took with it when it died.
      else if (!resumed) rounds.run?.restarted(participant);
      else if (rounds.last?.invited.has(participant) === true) gateway.send(participant, rounds.last.news);
      onCrowd();
    },
    message(participant, message) {
      // What the end of its round overtook is nobody's fault either, though another one is open by now.
      if (rounds.run === null || message.round === rounds.last?.round.plan.round) refuseWithoutRound(message);
      else rounds.run.message(participant, message);
    },
    chunk(participant, chunk) {
      // Pieces of an upload that the end of the round overtook are nobody's fault.
      if (chunk.round === rounds.last?.round.plan.round) return;
      if (rounds.run === null) throw new CestaError('update.wrong-round', `round: expected none to be open, got a chunk for ${chunk.round}`);
      rounds.run.chunk(participant, chunk);
    },
    expelled: (participant, error) => rounds.run?.expelled(participant, error),
    left(participant) {
      rounds.run?.left(participant);
      onCrowd();
    },
  };
}

function refuseWithoutRound({ type, round }: RoundMessage): void {
  if (type === 'join' || type === 'report') throw new CestaError('round.not-member', `${type}: expected an open round, got ${round}, which is not; wait for the next one`);
}
