/** Keeps the certificate of a running node fresh. A failure is logged and tried again: the certificate is good meanwhile. */
import type { Logger } from 'pino';
import { toCestaError } from '../../shared/protocol/errors.ts';
import { systemTimers, type Timers } from '../socket.ts';
import { isRenewalDue, renewNode, type NodeOptions } from './enrolment.ts';
import { openStateFolder } from './state-folder.ts';

export interface RenewalOptions extends NodeOptions {
  readonly logger: Logger;
  readonly timers?: Timers;
}

const checkEveryMs = 12 * 3_600_000;

/** Renews now if it is due, then looks twice a day. Returns what stops it. */
export function startRenewal(options: RenewalOptions): () => void {
  const { logger, timers = systemTimers, dateMs = Date.now } = options;
  let isStopped = false;
  let cancel: () => void = () => undefined;

  async function look(): Promise<void> {
    try {
      if (isRenewalDue(openStateFolder(options.stateDir, options.shop), dateMs())) {
        const { cert } = await renewNode(options);
        logger.info({ notAfter: cert.notAfter }, 'certificate renewed');
      }
    } catch (thrown) {
      const error = toCestaError(thrown);
      logger.warn({ code: error.code, reason: error.message }, 'the certificate could not be renewed; trying again');
    }
    if (!isStopped) cancel = timers.after(checkEveryMs, () => void look());
  }

  void look();
  return () => {
    isStopped = true;
    cancel();
  };
}
