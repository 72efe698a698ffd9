/** A sum of chunks with nothing checked: the floor of what any server does with them. */
import { chunkBytes } from '../../../shared/protocol/messages.ts';

export interface BareSum {
  /** Of one connection: adds a frame, and says whether it was the last of a statistic. */
  sender(): (frame: Buffer) => boolean;
}

export function createBareSum(length: number): BareSum {
  const sum = new Int32Array(length);
  return {
    sender() {
      let received = 0;
      return (frame) => {
        const words = wordsOf(frame, length - received);
        for (let i = 0; i < words.length; i += 1) sum[received + i] = (sum[received + i] + words[i]) | 0;
        received += words.length;
        if (received < length) return false;
        received = 0;
        return true;
      };
    },
  };
}

/** Behind the header of a chunk, whose size is known from what is left to come. */
function wordsOf(frame: Buffer, mostWords: number): Int32Array {
  const start = frame.byteOffset + 8 + Number(frame.readBigUInt64LE(0));
  // Rarely aligned where it lies.
  return new Int32Array(frame.buffer.slice(start, start + 4 * Math.min(mostWords, chunkBytes / 4)));
}
