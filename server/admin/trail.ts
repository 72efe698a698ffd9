/**
 * The audit trail: who changed what, when, and what came of it, in the log and in the storage. An entry is durable before
 * its action begins, so nothing happens unseen; one without an outcome was cut short by a crash. Reading is not recorded.
 */
import type { Logger } from 'pino';
import { toCestaError } from '../../shared/protocol/errors.ts';
import type { ActionRecord, NewAction, OperatorRecords } from '../storage/operator-records.ts';

export type Deed = Omit<NewAction, 'number'>;

export interface Trail {
  /** Does it between its entry and the outcome. @throws whatever `act` throws, or CestaError `storage.failed` */
  record<T>(deed: Deed, act: () => Promise<T>): Promise<T>;
  /** Enters what has happened. Resolves when that is done, or has failed and is in the log. */
  note(deed: Deed, outcome: string): Promise<void>;
  list(page: { readonly before: number; readonly limit: number }): Promise<readonly ActionRecord[]>;
  /** Resolves when nothing is being done, and everything is entered. */
  idle(): Promise<void>;
}

const done = 'done';

export async function openTrail(storage: OperatorRecords, logger: Logger): Promise<Trail> {
  let last = await storage.lastAction();
  let notes: Promise<void> = Promise.resolve();
  const deeds = new Set<Promise<unknown>>();

  async function enact<T>(deed: Deed, act: () => Promise<T>): Promise<T> {
    const number = (last += 1);
    await storage.beginAction({ ...deed, number });
    let outcome = done;
    try {
      return await act();
    } catch (thrown) {
      outcome = toCestaError(thrown).code;
      throw thrown;
    } finally {
      const { request: requestId, ...what } = deed;
      logger.info({ requestId, ...what, outcome }, 'operator acted');
      // What was done is done: an entry that stays open must not make it look refused.
      await storage.endAction(number, outcome).catch((error: unknown) => logger.error({ err: error, number }, 'the outcome of an action could not be entered'));
    }
  }

  return {
    record(deed, act) {
      const doing = enact(deed, act);
      deeds.add(doing);
      return doing.finally(() => void deeds.delete(doing));
    },
    note(deed, outcome) {
      const number = (last += 1);
      const { request: requestId, ...what } = deed;
      logger.warn({ requestId, ...what, outcome }, 'operator was noticed');
      notes = notes.then(() => storage.beginAction({ ...deed, number })).then(() => storage.endAction(number, outcome))
        .catch((error: unknown) => logger.error({ err: error, number }, 'an action could not be entered'));
      return notes;
    },
    list: (page) => storage.actions(page),
    async idle() {
      // Connections that were cut off do not end what was asked over them.
      while (deeds.size > 0) await Promise.allSettled(deeds);
      await notes;
    },
  };
}
