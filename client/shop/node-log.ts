/** One clear log line for each thing that happens to a shop node. */
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { hintOf } from '../../shared/protocol/error-table.ts';
import type { Logger } from 'pino';
import type { ShopNodeEvent } from './shop-node.ts';

/** `reconnects` in a row are one trouble: only the first is a warning. */
export function logEvent(logger: Logger, event: ShopNodeEvent): void {
  switch (event.kind) {
    case 'up':
      return logger.info({ task: event.task, publishedProducts: event.publishedProducts }, event.isReturn ? 'the coordinator is back' : 'connected to the coordinator');
    case 'down': {
      const { attempt, retryInMs, reason } = event;
      return attempt === 1
        ? logger.warn({ reason, retryInMs }, 'the coordinator is away; trying again')
        : logger.info({ reason, retryInMs, attempt }, 'the coordinator is still away');
    }
    case 'coordinator-key':
      return logger.info({ coordinatorKey: event.key }, 'first contact: the key of the coordinator is pinned from now on');
    case 'malformed':
      return logger.warn({ code: event.error.code, err: event.error.message }, 'the coordinator sent something that is no message of this version');
    case 'over':
      return event.error === null ? logger.info('connection closed') : logger.error({ code: event.error.code, hint: hintOf(event.error) }, event.error.message);
    case 'joined':
      return logger.info({ round: event.plan.round, privacy: event.plan.privacy }, 'joined a round');
    case 'declined':
      return logger.warn({ round: event.round, code: event.code, reason: event.message }, 'declined a round');
    case 'training':
      return logger.info({ round: event.plan.round }, 'training');
    case 'trained':
      return logger.info({ round: event.round, ...event.mapping, epsilonSpent: event.spent.epsilon }, 'statistic ready: clipped, noised, recorded as spent');
    case 'computed':
      return logger.info({ round: event.round, backend: event.backend, simd: event.simd, passedOver: event.passedOver }, 'computed with tensors');
    case 'reported':
      return logger.info({ round: event.round, bytes: event.bytes }, 'the coordinator has the report');
    case 'receipt':
      return logger.info({ round: event.round, sha256: event.receipt.receipt.sha256 }, 'the coordinator signed for the report: the receipt is kept');
    case 'no-receipt':
      return logger.error({ round: event.round, code: event.code, reason: event.message }, 'the coordinator acknowledged the report, but its receipt is not kept');
    case 'round-done':
      return logger.info({ round: event.round, version: event.version, took: event.took }, 'round done');
    case 'round-failed':
      return logger.warn({ round: event.round, code: event.code, reason: event.message }, 'round failed: the last release stays in force');
    case 'record-lost':
      return logger.warn({ round: event.round, code: event.code, reason: event.message }, 'the public record after the round could not be followed');
    case 'refused':
      return logger.warn({ round: event.round, code: event.code, reason: event.message }, 'the coordinator refused a message');
    case 'equivocation': {
      const { of, sessionId, first, second } = event.evidence;
      const hex = ({ digest, signature }: typeof first): object => ({ digest: bytesToHex(digest), signature: bytesToHex(signature) });
      return logger.error({ round: event.round, of, session: bytesToHex(sessionId), first: hex(first), second: hex(second) }, 'the coordinator signed two statements where it may sign one: keep this line, it proves it');
    }
    case 'task-over':
      return logger.info({ code: event.code, reason: event.message }, 'no task has a round left');
    default:
      return event satisfies never;
  }
}
