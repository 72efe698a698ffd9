/**
 * Numbered, bounded sending over whichever link is current. Numbers rise over all links of a participant, so that
 * a resumed session never repeats one. Chunks wait while much is buffered: a statistic of a gigabyte must not be
 * copied into the socket's queue at once.
 */
import type { Masked } from '../shared/privacy/vectors.ts';
import { chunkBytes, encodeChunk, type ClientMessage } from '../shared/protocol/messages.ts';
import type { Product } from '../shared/commerce/catalogue.ts';
import { productPages } from './product-pages.ts';
import type { Socket, Timers } from './socket.ts';

type WithoutSeq<M> = M extends { seq: number } ? Omit<M, 'seq'> : never;
/** A message of a connected participant, before it is numbered. */
export type OutgoingMessage = WithoutSeq<ClientMessage>;

const bufferPollMs = 10;

/** One socket and whether it may still be used. */
export interface Target {
  readonly socket: Socket;
  isCurrent(): boolean;
}

export interface Sender {
  send(target: Target, message: OutgoingMessage): void;
  /** Resolves to false when the link was lost, or the signal fired, before the last chunk. */
  sendStatistic(target: Target, round: string, statistic: Masked, signal: AbortSignal): Promise<boolean>;
  /** Calls back before each page with the number of its products. */
  sendProducts(target: Target, products: readonly Product[], onPage: (products: number) => void): Promise<void>;
}

export function createSender({ timers, maxBufferedBytes }: { timers: Timers; maxBufferedBytes: number }): Sender {
  let seq = 0;

  function send({ socket }: Target, message: OutgoingMessage): void {
    socket.send(JSON.stringify({ ...message, seq: (seq += 1) }));
  }

  async function drained(target: Target): Promise<boolean> {
    while (target.isCurrent() && target.socket.bufferedAmount > maxBufferedBytes) {
      await new Promise<void>((resolve) => void timers.after(bufferPollMs, resolve));
    }
    return target.isCurrent();
  }

  return {
    send,
    async sendStatistic(target, round, statistic, signal) {
      const step = chunkBytes / Int32Array.BYTES_PER_ELEMENT;
      for (let offset = 0; offset < statistic.length; offset += step) {
        if (!(await drained(target)) || signal.aborted) return false;
        target.socket.send(encodeChunk({ round, seq: (seq += 1), offset, data: statistic.subarray(offset, offset + step) }));
      }
      return true;
    },
    async sendProducts(target, products, onPage) {
      for (const page of productPages(products)) {
        if (!(await drained(target))) return;
        onPage(page.products.length);
        send(target, { type: 'products', products: [...page.products], last: page.last });
      }
    },
  };
}
