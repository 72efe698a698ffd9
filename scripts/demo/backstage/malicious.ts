/** The malicious shop of the demo as a process that comes and goes: a real shop node that joins the running federation. */
import { errorBody } from '../../../shared/protocol/error-table.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { failureOf, startScript, type DemoProcess } from '../processes.ts';
import type { MaliciousShop } from './state.ts';

export interface MaliciousShopControl {
  readonly shop: MaliciousShop;
  /** @throws CestaError `backstage.busy` while it is there */
  add(): void;
  remove(): Promise<void>;
}

export function controlMaliciousShop(options: { readonly coordinator: string; readonly rounds: number; readonly stateDir: string }): MaliciousShopControl {
  let shop: MaliciousShop = { state: 'absent', rounds: [], error: null };
  let process: DemoProcess | null = null;
  async function watch(started: DemoProcess): Promise<void> {
    const code = await started.ended;
    process = null;
    // It ends in good order when it is told to, or when no round is left.
    shop = code === 0 ? { ...shop, state: 'absent' } : { ...shop, state: 'failed', error: errorBody(failureOf(started)) };
  }
  return {
    get shop() {
      return shop;
    },
    add() {
      if (process !== null) throw new CestaError('backstage.busy', 'malicious shop: expected none in the federation, got one that is there');
      shop = { ...shop, state: 'starting', error: null };
      process = startScript('malicious shop', './malicious-shop.ts', options, (line) => {
        const { kind, round } = line as { readonly kind: 'up' | 'reported'; readonly round?: string };
        shop = { ...shop, state: 'present', rounds: kind === 'reported' && round !== undefined ? [...shop.rounds, round] : shop.rounds };
      });
      void watch(process);
    },
    async remove() {
      await process?.stop();
    },
  };
}
