/** Senders to the floor: every client sends its statistic in the chunks of a report, and waits until it is summed. */
import { WebSocket } from 'ws';
import { chunkBytes, encodeChunk } from '../../../shared/protocol/messages.ts';

export interface FloorClients {
  /** @returns milliseconds for so many rounds of all clients */
  move(rounds: number): Promise<number>;
}

export async function openFloorClients(url: string, clients: number, statistic: Int32Array): Promise<FloorClients> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => open(url)));
  let seq = 0;
  let waiting = 0;
  let done: () => void = () => undefined;
  for (const socket of sockets) {
    socket.on('message', () => {
      waiting -= 1;
      if (waiting === 0) done();
    });
  }
  return {
    async move(rounds) {
      const start = performance.now();
      for (let round = 0; round < rounds; round += 1) {
        waiting = clients;
        const all = new Promise<void>((resolve) => {
          done = resolve;
        });
        for (const socket of sockets) seq = sendStatistic(socket, 'bench-1', statistic, seq);
        await all;
      }
      return performance.now() - start;
    },
  };
}

function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  return new Promise((resolve, reject) => void socket.once('open', () => resolve(socket)).once('error', reject));
}

/** @returns the number of the last frame */
export function sendStatistic(socket: WebSocket, round: string, statistic: Int32Array, seq: number): number {
  const step = chunkBytes / Int32Array.BYTES_PER_ELEMENT;
  let last = seq;
  for (let offset = 0; offset < statistic.length; offset += step) socket.send(encodeChunk({ round, seq: (last += 1), offset, data: statistic.subarray(offset, offset + step) }));
  return last;
}
