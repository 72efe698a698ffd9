/**
 * Which participants may be in a masked sum with this one. The coordinator says who the others are, and could invent
 * them: the sum of one shop and nineteen inventions is that shop. Names are pinned to their keys, and a participant may
 * list the peers it knows: more strangers than may collude are refused.
 */
import type { Plan } from '../shared/federation/plan.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { Directory } from '../shared/secagg/roster.ts';

/** Keys of other shops by name. */
export interface PeerPins {
  /** @throws CestaError `storage.failed` */
  read(): Directory;
  /** @throws CestaError `storage.failed` */
  write(peers: Directory): void;
}

/**
 * A name with another key than before counts as a stranger, too: it may be a hand-over, or somebody else.
 * @param ownKey of this shop, which need not list itself
 * @param known peers that the shop lists; without a list, names are pinned and inventions go unnoticed
 * @param onChange hears of names whose key changed
 * @throws CestaError `secagg.invalid`, from the function that is returned, for more strangers than may collude.
 */
export function peerCheck(pins: PeerPins, { ownKey, known, onChange = () => undefined }: { ownKey: string; known?: Directory | undefined; onChange?: (name: string) => void }): (plan: Plan, directory: Directory) => void {
  return (plan, directory) => {
    const before = pins.read();
    const changed = [...directory].filter(([name, key]) => key !== ownKey && (before.get(name) ?? key) !== key && known?.get(name) !== key).map(([name]) => name);
    const unlisted = known === undefined ? [] : [...directory].filter(([name, key]) => key !== ownKey && known.get(name) !== key).map(([name]) => name);
    const strangers = [...new Set([...changed, ...unlisted])];
    const allowed = plan.privacy.mode === 'distributed' ? plan.privacy.colluding : 0;
    if (strangers.length > allowed) throw new CestaError('secagg.invalid', `directory: expected at most ${allowed} shops whose keys are not known here, got ${strangers.length}: ${strangers.slice(0, 5).join(', ')}`);
    changed.forEach(onChange);
    if ([...directory].some(([name, key]) => before.get(name) !== key)) pins.write(new Map([...before, ...directory]));
  };
}
