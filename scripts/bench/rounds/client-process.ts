/** All clients of the bench in one process: shops with a ready-made statistic, and senders to the floor. */
import { z } from 'zod';
import { answer } from '../children.ts';
import { openFloorClients, type FloorClients } from './floor-clients.ts';
import { connectIdle, openLeanShops, type LeanShops } from './lean-shops.ts';

const schema = z.discriminatedUnion('kind', [
  /** Answers with the invitation to the first round. */
  z.strictObject({ kind: z.literal('open'), coordinator: z.string(), floor: z.string(), clients: z.number(), length: z.number() }),
  z.strictObject({ kind: z.literal('open-exchange'), exchange: z.string(), clients: z.number(), length: z.number() }),
  z.strictObject({ kind: z.literal('rounds'), rounds: z.number() }),
  z.strictObject({ kind: z.literal('exchange'), rounds: z.number() }),
  z.strictObject({ kind: z.literal('floor'), rounds: z.number() }),
  z.strictObject({ kind: z.literal('idle'), coordinator: z.string(), from: z.number(), to: z.number() }),
]);

let shops: LeanShops | null = null;
let floor: FloorClients | null = null;
/** Against a bare server. */
let exchange: LeanShops | null = null;

const statisticOf = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => (i * 7) % 1_000);

answer(schema, async (command) => {
  switch (command.kind) {
    case 'open': {
      const { coordinator, clients, length } = command;
      const statistic = statisticOf(length);
      shops = await openLeanShops(coordinator, clients, statistic);
      floor = await openFloorClients(command.floor, clients, statistic);
      return shops.invitation;
    }
    case 'open-exchange':
      exchange = await openLeanShops(command.exchange, command.clients, statisticOf(command.length));
      return null;
    case 'rounds':
      return shops?.play(command.rounds);
    case 'exchange':
      return exchange?.play(command.rounds);
    case 'floor':
      return floor?.move(command.rounds);
    case 'idle':
      return connectIdle(command.coordinator, command.from, command.to);
    default:
      return command satisfies never;
  }
});
