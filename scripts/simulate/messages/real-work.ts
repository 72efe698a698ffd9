/**
 * Real work in virtual time: what promises still do while nothing is due. The clock goes on only when all of it has settled, or
 * the order of things would depend on the machine.
 *
 * Code of this thread that awaits what is there already is done when the turn of the event loop is. Where it waits for a later
 * turn (receipts do), it does so once or twice between two things that show; a few quiet turns in a row are the end of it.
 * What other threads do, or takes any number of turns, is counted from its beginning to its end.
 */
import { setImmediate } from 'node:timers/promises';

export interface RealWork {
  /** Something starts that may take any number of turns. What it returns ends it, once. */
  begin(): () => void;
  /** Something happened: what follows from it has its turns from now on. */
  touch(): void;
  /** Resolves when nothing more happens unless time passes. */
  settled(): Promise<void>;
}

const quietTurns = 4;

export function countRealWork(): RealWork {
  let running = 0;
  let quiet = 0;
  let onIdle: () => void = () => undefined;
  const touch = (): void => void (quiet = 0);
  return {
    touch,
    begin() {
      let isRunning = true;
      running += 1;
      return () => {
        if (!isRunning) return;
        isRunning = false;
        running -= 1;
        touch();
        if (running === 0) onIdle();
      };
    },
    async settled() {
      for (quiet = 0; quiet < quietTurns; quiet += 1) {
        await setImmediate();
        while (running > 0) await new Promise<void>((resolve) => void (onIdle = resolve));
      }
    },
  };
}
