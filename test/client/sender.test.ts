import { describe, expect, it } from 'vitest';
import type { Masked } from '../../shared/privacy/vectors.ts';
import { decodeChunk } from '../../shared/protocol/messages.ts';
import { rig } from './connection-rig.ts';
import { admit, until } from './fakes.ts';

describe('a statistic on its way', () => {
  const statistic = Int32Array.from({ length: 40_000 }, (_, index) => index * 7 - 99) as Masked;
  const never = new AbortController().signal;

  it('is cut into chunks of 64 KiB that add up to it, numbered in one row with the messages', async () => {
    const { network, connection } = rig();
    admit(network.last());
    connection.send({ type: 'leave', round: 'x' });
    expect(await connection.sendStatistic('main-1', statistic, never)).toBe(true);
    const chunks = network.last().frames.map(decodeChunk);
    expect(chunks.map(({ seq, offset, data }) => [seq, offset, data.length])).toEqual([[2, 0, 16_384], [3, 16_384, 16_384], [4, 32_768, 7_232]]);
    expect(Int32Array.from(chunks.flatMap(({ data }) => [...data]))).toEqual(Int32Array.from(statistic));
  });

  it('waits while much is buffered, and goes on when it has drained', async () => {
    const { network, timers, connection } = rig({ maxBufferedBytes: 100_000 });
    admit(network.last());
    const socket = network.last();
    socket.onSend = () => void (socket.bufferedAmount += 65_600);
    let sent: boolean | null = null;
    void connection.sendStatistic('main-1', statistic, never).then((result) => (sent = result));
    await until(() => timers.waiting > 0);
    expect([socket.frames.length, sent]).toEqual([2, null]);
    timers.advance(1_000);
    await until(() => timers.waiting > 0);
    expect([socket.frames.length, sent]).toEqual([2, null]);
    socket.bufferedAmount = 0;
    timers.advance(10);
    await until(() => sent !== null);
    expect([socket.frames.length, sent]).toEqual([3, true]);
  });

  it('stops when the connection is lost, when it is abandoned, and when there is no connection', async () => {
    const { network, timers, connection, redial } = rig({ maxBufferedBytes: 10 });
    expect(await connection.sendStatistic('main-1', statistic, never)).toBe(false);
    admit(network.last());
    const socket = network.last();
    socket.onSend = () => void (socket.bufferedAmount += 65_600);
    const sending = connection.sendStatistic('main-1', statistic, never);
    await until(() => socket.frames.length === 1 && timers.waiting > 0);
    socket.lose();
    timers.advance(10);
    expect(await sending).toBe(false);
    redial();
    admit(network.last());
    expect(await connection.sendStatistic('main-1', statistic, AbortSignal.abort())).toBe(false);
    expect(network.last().frames.length).toBe(0);
  });
});
