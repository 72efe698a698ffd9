/** The newest entries of the public record, as they are served: nothing is checked here. */
import { parseCheckpointText } from '../../../shared/ledger/checkpoint.ts';
import { decodeEntry, type LogEntry } from '../../../shared/ledger/log-entries.ts';
import { parseNote } from '../../../shared/ledger/signed-note.ts';
import { decodeBundle, tilePath, tileWidth, widthAt, type TileAddress } from '../../../shared/ledger/tiles.ts';
import { bytesToHex } from '../../../shared/protocol/digest.ts';
import { request } from './api.ts';

export interface RecordHead {
  readonly size: number;
  readonly root: string;
  /** Newest first. */
  readonly entries: readonly { readonly index: number; readonly entry: LogEntry }[];
}

/** @throws CestaError `network.unreachable`, `protocol.malformed` */
export async function latestEntries(most: number): Promise<RecordHead> {
  const { size, root } = parseCheckpointText(parseNote(new TextDecoder().decode(await request('v1/log/checkpoint'))).text);
  const entries: { index: number; entry: LogEntry }[] = [];
  for (let bundle = Math.ceil(size / tileWidth) - 1; bundle >= 0 && entries.length < most; bundle -= 1) {
    const address: TileAddress = { level: 'entries', index: bundle, width: widthAt({ level: 'entries', index: bundle }, size) };
    const leaves = decodeBundle(await request(`v1/log/${tilePath(address)}`), address.width);
    entries.push(...leaves.map((leaf, at) => ({ index: bundle * tileWidth + at, entry: decodeEntry(leaf) })).reverse());
  }
  return { size, root: bytesToHex(root), entries: entries.slice(0, most) };
}
