/** The facts of a record of processing activities, from the file that `cesta serve --config` reads. */
import { isLoopbackHost } from '../shared/protocol/transport.ts';
import { parseTaskSpec } from '../shared/federation/task.ts';
import type { JurisdictionName } from '../shared/policy/jurisdictions.ts';
import type { ProcessingFacts } from '../shared/policy/processing-record.ts';
import { resolveSettings } from './cli/config/layers.ts';
import { serveSettings } from './cli/config/serve-settings.ts';
import { accountabilityOf, coordinatorOptions } from './cli/serve.ts';

/**
 * @param jurisdiction by default that of the file, else gdpr
 * @throws CestaError `config.invalid`, `plan.invalid`, `data.not-found`
 */
export async function processingFacts(file: string, jurisdiction?: JurisdictionName): Promise<ProcessingFacts> {
  const { config } = resolveSettings(serveSettings, { flags: {}, env: {}, file, otherVariables: [] });
  const { controller, processors, jurisdiction: configured } = accountabilityOf(config);
  const { name, model, privacy, cohort, gate, unit } = parseTaskSpec((await coordinatorOptions(config, undefined)).task);
  const isHere = isLoopbackHost(config.host);
  return {
    jurisdiction: jurisdiction ?? configured ?? 'gdpr',
    controller, processors,
    task: name, model: model.kind, mode: privacy.mode, unit,
    epsilon: config.epsilon, delta: config.delta, rounds: privacy.rounds,
    minShops: cohort.minParticipants,
    isGated: gate !== undefined,
    transport: config.behindTlsProxy ? 'proxy' : config.tlsSelf || config.tlsCert !== undefined ? 'tls' : 'loopback',
    enrolment: config.enrolment ?? (isHere ? 'open' : 'required'),
    database: config.database === undefined ? 'file' : 'postgresql',
    witnesses: config.witness.map((key) => key.name),
  };
}
