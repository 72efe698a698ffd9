/**
 * SCAFFOLD's control variate of this shop, a file a task: what it is, and what it will be should the open round end in a
 * release. A report that was not summed must not move it, or this shop would correct for steps that nobody took; so the
 * next one waits in the file until the coordinator says that the round is done with this shop's part, or a later plan
 * starts from that round's release. A shop that hears neither keeps the old one, which is stale: its share of the corrections stays off by one round's drift.
 * It follows from shoppers' data and never leaves the shop. A file that is lost or damaged starts from zero again: that
 * slows training down, and protects or endangers nobody.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { decodeTensors, encodeTensors } from '../../shared/protocol/tensors.ts';
import { requireTensor, vector } from '../../shared/recommender/tensor-checks.ts';
import type { ControlStore } from '../contributions.ts';
import { writeDurably } from './durable-file.ts';
import { storageErrors } from './spend-ledger.ts';

interface Kept {
  readonly own: Float32Array;
  readonly next: Float32Array;
  /** The round that `next` waits for; empty where it waits for none. */
  readonly round: string;
}

/** @param folder an existing folder of this shop alone */
export function openControlFiles(folder: string): ControlStore {
  const pathOf = (task: string): string => join(folder, `control-${sha256Hex(new TextEncoder().encode(task)).slice(0, 16)}.tensors`);
  const keep = (task: string, { own, next, round }: Kept): void => {
    const path = pathOf(task);
    storageErrors(path, () => writeDurably(path, folder, encodeTensors({ own: vector(own), next: vector(next) }, { task, round })));
  };
  return {
    read(task, length, baseRound) {
      const kept = readKept(pathOf(task), length);
      if (kept === null) return new Float32Array(length);
      return kept.round === baseRound ? kept.next : kept.own;
    },
    propose: (task, round, { own, next }) => keep(task, { own, next, round }),
    commit(task, round) {
      const kept = readKept(pathOf(task));
      if (kept?.round === round) keep(task, { own: kept.next, next: kept.next, round: '' });
    },
  };
}

function readKept(path: string, length?: number): Kept | null {
  const bytes = storageErrors(path, () => (existsSync(path) ? readFileSync(path) : null));
  if (bytes === null) return null;
  try {
    const { tensors, metadata } = decodeTensors(bytes);
    return { own: requireTensor(tensors, 'own', Float32Array, length), next: requireTensor(tensors, 'next', Float32Array, length), round: metadata['round'] ?? '' };
  } catch {
    return null;
  }
}
