/** A real coordinator that has a release to serve, with nobody in it but readers. */
import { pino } from 'pino';
import { z } from 'zod';
import { startCoordinator } from '../../../server/coordinator.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { answer, usage } from '../children.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), dataDir: z.string(), items: z.number() }),
  z.strictObject({ kind: z.literal('usage') }),
]);

answer(schema, async (command) => {
  if (command.kind === 'usage') return usage();
  const { dataDir, items } = command;
  const { url } = await startCoordinator({
    task: {
      name: 'bench', model: { kind: 'popularity' }, privacy: { mode: 'none' },
      cohort: { minParticipants: 1, targetParticipants: 1 }, deadlines: { recruitingMs: 60_000, trainingMs: 60_000 },
    },
    catalogue: createCatalogue(Array.from({ length: items }, (_, item) => ({ id: `sku-${item}`, title: `product ${item}` }))),
    dataDir, port: 0, roundsWanted: 1, logger: pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })),
  });
  return { url };
});
