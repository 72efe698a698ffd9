/**
 * The coordinator of the hostile audit in a process of its own: the real one, with limits wide enough for the attackers
 * of a whole network to come from one machine, and times so short that nobody waits long for a cut-off.
 */
import { pino } from 'pino';
import { z } from 'zod';
import { startCoordinator } from '../../../server/coordinator.ts';
import { untilStopped } from '../../cli/output.ts';
import { coordinatorOptionsSchema, taskOf } from './task.ts';

const options = coordinatorOptionsSchema.parse(JSON.parse(z.string().parse(process.argv[2])));
const coordinator = await startCoordinator({
  task: taskOf(options),
  dataDir: options.dataDir,
  port: 0,
  logger: pino({ name: 'coordinator', level: process.env['CESTA_LOG_LEVEL'] ?? 'error' }, pino.destination({ dest: 2, sync: true })),
  gatherMs: 400,
  retryMs: 20,
  stallMs: 2_000,
  stageMs: 5_000,
  limits: options.limits,
  identity: { enrolment: 'open', limits: options.identityLimits },
  behindTlsProxy: options.behindTlsProxy,
});
process.stdout.write(`${JSON.stringify({ url: coordinator.url, publicKey: coordinator.publicKey })}\n`);
await untilStopped();
await coordinator.close();
