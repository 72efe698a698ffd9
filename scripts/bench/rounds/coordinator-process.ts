/** A real coordinator in a process of its own: everything but the network and the shops is as in `cesta serve`. */
import { pino } from 'pino';
import { z } from 'zod';
import { startCoordinator } from '../../../server/coordinator.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { answer, usage } from '../children.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), dataDir: z.string(), length: z.number(), clients: z.number() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

/** Longer than any bench: shops that hold their answer back only pause. */
const patienceMs = 3_600_000;
/** All clients come from one address. */
const unlimited = { burst: 1_000_000, perSecond: 1_000_000 };

answer(schema, async (command) => {
  switch (command.kind) {
    case 'start': {
      const { dataDir, length, clients } = command;
      const { url } = await startCoordinator({
        task: {
          name: 'bench', model: { kind: 'popularity' }, privacy: { mode: 'none' },
          cohort: { minParticipants: clients, targetParticipants: clients, overSelection: 1 },
          deadlines: { recruitingMs: patienceMs, trainingMs: patienceMs },
        },
        // One coordinate is the count of shoppers.
        catalogue: createCatalogue(Array.from({ length: length - 1 }, (_, item) => ({ id: `sku-${item}`, title: `product ${item}` }))),
        dataDir, port: 0, roundsWanted: 1_000_000, logger: pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })),
        identity: { limits: { connectsPerAddress: unlimited } },
      });
      return { url };
    }
    case 'usage':
      return usage();
    default:
      return command satisfies never;
  }
});
