/**
 * Which shops may be in a masked sum with this one. The coordinator says who the others are, and could invent them:
 * the sum of one shop and nineteen inventions is that shop. Names are pinned to the keys they were first seen with;
 * against inventions, a shop lists the peers it knows, and strangers beyond those that may collude are refused.
 */
import type { Plan } from '../../shared/federation/plan.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Directory } from '../../shared/secagg/roster.ts';
import type { StateFolder } from './state-folder.ts';

/** @throws CestaError `secagg.invalid`, from the function that is returned. */
export function peerCheck(state: Pick<StateFolder, 'peers' | 'pinPeers' | 'key'>, known: ReadonlyMap<string, string> | undefined): (plan: Plan, directory: Directory) => void {
  return (plan, directory) => {
    const pinned = new Map([...state.peers(), ...(known ?? [])]);
    for (const [name, key] of directory) {
      const before = pinned.get(name) ?? key;
      if (before !== key) throw new CestaError('secagg.invalid', `directory: expected the key of ${name} known here, ${before}, got ${key}; remove it from the peers file only if you know that the shop changed it`);
    }
    const strangers = known === undefined ? [] : [...directory.keys()].filter((name) => !known.has(name));
    const allowed = plan.privacy.mode === 'distributed' ? plan.privacy.colluding : 0;
    // One of the strangers is this shop itself, unless it lists itself.
    const others = strangers.filter((name) => directory.get(name) !== state.key.publicKey);
    if (others.length > allowed) throw new CestaError('secagg.invalid', `directory: expected at most ${allowed} shops that are not among the peers, got ${others.length}: ${others.slice(0, 5).join(', ')}`);
    if ([...directory.keys()].some((name) => !pinned.has(name))) state.pinPeers(new Map([...pinned, ...directory]));
  };
}
