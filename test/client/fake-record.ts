/** The public record of a coordinator, in memory: as honest or not as a test wants it. */
import type { Plan } from '../../shared/federation/plan.ts';
import { signCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { makeEvidence, type Evidence } from '../../shared/ledger/evidence.ts';
import { encodeEntry, planEntry } from '../../shared/ledger/log-entries.ts';
import { inclusionProof } from '../../shared/ledger/merkle-proofs.ts';
import { createMerkleTree, leafHash } from '../../shared/ledger/merkle-tree.ts';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { parseTilePath, tileContents, widthAt, type TileAddress } from '../../shared/ledger/tiles.ts';

export interface FakeRecord {
  readonly size: number;
  /** Puts the plan in, unless it is there, and proves it below the head of now. */
  evidence(plan: Plan): Evidence;
  checkpoint(size?: number): string;
  tile(address: TileAddress): Uint8Array | null;
  /** Answers below `/v1/log/tile/`; null for any other address. */
  answer(url: string): Promise<Response> | null;
}

export function fakeRecord(key: SigningKey): FakeRecord {
  const tree = createMerkleTree();
  const positions = new Map<string, number>();
  const checkpoint = (size = tree.size): string => signCheckpoint({ size, root: tree.root(size) }, key);
  const tile = (address: TileAddress): Uint8Array | null => {
    const { level, index, width } = address;
    return level === 'entries' || width > widthAt(address, tree.size) ? null : tileContents(tree.read, { level, index, width });
  };
  return {
    get size() {
      return tree.size;
    },
    evidence(plan) {
      const leaf = leafHash(encodeEntry(planEntry(plan)));
      const name = leaf.join();
      const index = positions.get(name) ?? tree.size;
      positions.set(name, index);
      if (index === tree.size) tree.append(leaf);
      return makeEvidence(checkpoint(), index, inclusionProof(tree.read, index, tree.size));
    },
    checkpoint,
    tile,
    answer(url) {
      const at = url.indexOf('/v1/log/');
      if (at < 0) return null;
      const address = parseTilePath(url.slice(at + '/v1/log/'.length));
      const bytes = address === null ? null : tile(address);
      return Promise.resolve(bytes === null ? new Response('', { status: 404 }) : new Response(Uint8Array.from(bytes)));
    },
  };
}
