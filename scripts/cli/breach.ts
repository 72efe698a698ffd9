/** `cesta breach drill`: what SECURITY.md says, carried out. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { AdminTarget } from '../admin-client.ts';
import { jurisdictionNames, type JurisdictionName } from '../../shared/policy/jurisdictions.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { OperatorCredentials } from '../../server/admin/credentials.ts';
import type { BreachReport } from '../../shared/policy/breach.ts';
import type { BreachOptions } from '../breach.ts';
import { targetOf } from './admin-options.ts';
import { collect, httpUrl } from './options.ts';
import { createLogger, describeCredentials, print } from './output.ts';
import { addTlsOptions, type TlsOptions } from './tls-options.ts';

interface DrillOptions extends TlsOptions {
  dataDir?: string;
  database?: string;
  coordinator?: URL;
  forReal?: boolean;
  since?: string;
  discovered?: string;
  description: string;
  jurisdiction: JurisdictionName;
  compromised?: readonly string[];
  out: string;
  json?: boolean;
}

export function addBreach(program: Command): void {
  const breach = program.command('breach').description('a security incident: freeze rounds, exchange keys, list whom it concerns, write the report');
  addTlsOptions(
    breach.command('drill')
      .description('go through it on a copy of a coordinator, or on a federation made for it; with --for-real, on the coordinator itself')
      .option('--data-dir <folder>', 'the coordinator\'s folder: copied for the drill, used with --for-real (default: none, a federation is made)')
      .addOption(new Option('--database <address>', 'where its journal is, if not in the folder').env('CESTA_DATABASE'))
      .option('--coordinator <url>', 'with --for-real: where it listens; log in before', httpUrl)
      .option('--for-real', 'pause its tasks, and exchange the credentials of its operators')
      .option('--since <time>', 'look at rounds and nodes from then on, ISO 8601 (default: 30 days before it was found out)', isoTime)
      .option('--discovered <time>', 'when it was found out, ISO 8601 (default: now)', isoTime)
      .option('--description <text>', 'what happened, for the notice', 'someone may have had access to the coordinator\'s machine')
      .addOption(new Option('--jurisdiction <name>', 'whose deadlines apply').choices(jurisdictionNames).default('gdpr'))
      .option('--compromised <name>', 'a node whose key others have: revoked (repeatable)', collect((text) => text))
      .option('--out <folder>', 'where the report goes: two files, named drill or breach and by the time', 'breach'),
  )
    .option('--json', 'print JSON: a line for each operator\'s new credentials as they are made, then one of the report')
    .action(drill);
}

const defaultSpanMs = 30 * 86_400_000;

async function drill(options: DrillOptions): Promise<void> {
  const { claimReportFiles } = await import('../breach/report-files.ts');
  const discoveredAt = options.discovered ?? new Date().toISOString();
  const terms = {
    jurisdiction: options.jurisdiction,
    description: options.description,
    discoveredAt,
    since: options.since ?? new Date(Date.parse(discoveredAt) - defaultSpanMs).toISOString(),
    compromised: options.compromised ?? [],
    now: () => new Date().toISOString(),
  };
  const files = claimReportFiles(options.out, options.forReal === true ? 'real' : 'drill', terms.now());
  const report = await (options.forReal === true ? forReal(options, terms) : onCopy(options, terms)).catch((error: unknown) => {
    files.discard();
    throw error;
  });
  files.write(report);
  const { json, markdown } = files.paths;
  const { kind, deadlineAt, rounds, nodes, steps } = report;
  const words = [
    ...steps.map(({ step, outcome }) => `${step}: ${outcome}`),
    `${kind === 'drill' ? 'Drill: would have to be notified' : 'Notify'} by ${deadlineAt ?? 'no fixed time, without unreasonable delay'}`,
    `Report: ${markdown}, ${json}`,
  ];
  print(options, { json, markdown, kind, deadlineAt, rounds: rounds?.length ?? null, nodes: nodes?.length ?? null, steps }, words.join('\n'));
}

type Terms = Omit<BreachOptions, 'kind' | 'admin' | 'place' | 'onCredentials'>;

async function onCopy({ dataDir, database, coordinator }: DrillOptions, terms: Terms): Promise<BreachReport> {
  if (coordinator !== undefined) throw new CestaError('usage.invalid', '--coordinator: expected --for-real with it, got none: a drill is carried out on a copy of --data-dir');
  if (dataDir === undefined && database !== undefined) throw new CestaError('usage.invalid', '--database: expected --data-dir with it, got none');
  const { openDrillTarget } = await import('../breach/drill-target.ts');
  const { respondToBreach } = await import('../breach.ts');
  const target = await openDrillTarget(dataDir === undefined ? null : { dataDir, database }, createLogger('drill', 'error'));
  try {
    return await respondToBreach({ ...terms, kind: 'drill', ...target, onCredentials: () => undefined });
  } finally {
    await target.close();
  }
}

async function forReal(options: DrillOptions, terms: Terms): Promise<BreachReport> {
  const { coordinator, dataDir, database } = options;
  if (coordinator === undefined || dataDir === undefined) throw new CestaError('usage.invalid', '--for-real: expected --coordinator and --data-dir with it, got one of them or none');
  const { openAdminClient } = await import('../admin-client.ts');
  const { respondToBreach } = await import('../breach.ts');
  const target: AdminTarget = await targetOf(options);
  const { fetch } = target;
  const onCredentials = (credentials: OperatorCredentials): void => print(options, { credentials }, describeCredentials(credentials));
  return respondToBreach({ ...terms, onCredentials, kind: 'real', admin: openAdminClient(target), place: { dataDir, database }, ...(fetch === undefined ? {} : { fetch }) });
}

function isoTime(text: string): string {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isFinite(time)) throw new InvalidArgumentError(`Expected a time such as 2026-03-31T12:00:00Z, got ${text}.`);
  return new Date(time).toISOString();
}
