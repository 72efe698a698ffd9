/** `cesta serve`: the coordinator. */
import { Option, type Command } from 'commander';
import type { CoordinatorOptions } from '../../server/coordinator-options.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fewestRows } from '../../shared/federation/robust/combine-rows.ts';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import type { Accountability } from '../../shared/policy/accountability.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Effective } from './config/layers.ts';
import { addSettings, readSettings } from './config/serve-options.ts';
import type { ServeConfig, serveSettings } from './config/serve-settings.ts';
import { localTermsOf, usualEncoding } from './local-options.ts';
import { createLogger, describeCredentials, print, stopSignals } from './output.ts';
import { robustOf } from './robust-options.ts';
import { transportOf } from './serve-transport.ts';

/** What is about the call and not about the coordinator. */
interface CallOptions {
  config?: string;
  printConfig?: boolean;
  json?: boolean;
}

export function addServe(program: Command): void {
  const command = program.command('serve').description('run the coordinator: gather shops, run private rounds, serve the releases');
  addSettings(command);
  command
    .addOption(new Option('--config <file>', 'settings as a JSON object').env('CESTA_CONFIG'))
    .option('--print-config', 'print what is in force and who said so, and do nothing')
    .option('--json', 'print one JSON object when ready')
    .action(async (options: CallOptions) => {
      const effective = readSettings(command, options.config);
      if (options.printConfig === true) process.stdout.write(`${JSON.stringify(effective.shown, null, 2)}\n`);
      else await serve(effective, options);
    });
}

async function serve({ config, shown }: Effective<typeof serveSettings>, call: CallOptions): Promise<void> {
  const { startCoordinator } = await import('../../server/coordinator.ts');
  const { readCatalogue } = await import('../../client/shop/read-data.ts');
  const { readPolicy, withinPolicy } = await import('../policy-file.ts');
  const logger = createLogger('coordinator', config.logLevel);
  const { selfMade, ...transport } = await transportOf(config);
  const policy = config.policy === undefined ? undefined : readPolicy(config.policy);
  const accountability = accountabilityOf(config);
  const catalogue = withinPolicy(policy, accountability, config.catalogue === undefined ? undefined : await readCatalogue(config.catalogue));
  logger.info({ config: shown }, 'configuration');
  const coordinator = await startCoordinator({ ...(await coordinatorOptions(config, catalogue)), keptHyperParameters: keptOf(config, shown), ...transport, accountability, ...(policy === undefined ? {} : { policy }), logger });
  const stop = stopSignals();
  const { url, publicKey, firstOperator } = coordinator;
  // To the terminal alone, and once: the log never has it.
  const welcome = firstOperator === null ? [] : [describeCredentials(firstOperator), `  cesta login ${url}`];
  const certificate = selfMade === undefined ? [] : [`Certificate ${selfMade.fingerprint}`, `Shops join with --tls-ca and a copy of ${selfMade.certPath}`];
  print(call, { url, publicKey, ...(selfMade === undefined ? {} : { tls: selfMade }), ...(firstOperator === null ? {} : { firstOperator }) }, [`Coordinator at ${url}`, `Key ${publicKey}`, ...(config.noDashboard ? [] : [`Dashboard at ${url}/dashboard/`]), ...certificate, ...welcome].join('\n'));
  await stop.first;
  await Promise.race([coordinator.drain(Math.ceil(config.drainSeconds * 1000)), stop.second]);
  await coordinator.close();
}

export async function coordinatorOptions(config: ServeConfig, catalogue: Catalogue | undefined): Promise<Omit<CoordinatorOptions, 'logger'>> {
  const { deploymentDefaults } = await import('../../shared/recommender/registry.ts');
  return {
    task: taskOf(config, deploymentDefaults(config.model, { asOf: config.asOf, everySeconds: Math.max(config.everySeconds ?? 0, config.minIntervalSeconds) })),
    host: config.host,
    port: config.port,
    dataDir: config.dataDir,
    database: config.database,
    corsOrigins: corsOriginsOf(config),
    dashboard: !config.noDashboard,
    quality: config.quality,
    gatherMs: Math.ceil(config.gatherSeconds * 1000),
    witnesses: { witnesses: config.witness, quorum: config.quorum },
    witnessMs: Math.ceil(config.witnessSeconds * 1000),
    ...(catalogue === undefined ? {} : { catalogue }),
  };
}

export function accountabilityOf({ controller, contact, jurisdiction, processor }: Pick<ServeConfig, 'controller' | 'contact' | 'jurisdiction' | 'processor'>): Accountability {
  if (controller === undefined && contact !== undefined) throw new CestaError('usage.invalid', '--contact: expected --controller with it, got none');
  return { controller: controller === undefined ? null : { name: controller, contact: contact ?? null }, jurisdiction: jurisdiction ?? null, processors: processor };
}

/** Who does not say what day it is means the day on which the task was started; nor do other defaults change under a task. */
function keptOf({ hyperParameters }: ServeConfig, shown: Effective<typeof serveSettings>['shown']): string[] {
  return ['asOf', 'forgettingFactor'].filter((name) => (name !== 'asOf' || shown['asOf'].source === 'default') && hyperParameters?.[name] === undefined);
}

function corsOriginsOf({ corsOrigin }: ServeConfig): readonly string[] {
  if (corsOrigin.includes('*') && corsOrigin.length > 1) throw new CestaError('config.invalid', `--cors-origin: expected * or origins, got both: ${corsOrigin.join(', ')}`);
  return corsOrigin;
}

function gateOf({ gate, gateTolerance }: ServeConfig): { readonly gate?: { readonly share: number; readonly tolerance?: number } } {
  if (gate === undefined && gateTolerance !== undefined) throw new CestaError('usage.invalid', '--gate-tolerance: expected --gate with it, got none');
  return gate === undefined ? {} : { gate: { share: gate, ...(gateTolerance === undefined ? {} : { tolerance: gateTolerance }) } };
}

function canaryOf({ canary, canaryFactor, canaryShare }: ServeConfig): { readonly canary?: { readonly factor?: number; readonly share?: number } } {
  if (!canary && (canaryFactor ?? canaryShare) !== undefined) throw new CestaError('usage.invalid', '--canary-factor, --canary-share: expected --canary with them, got none');
  return canary ? { canary: { ...(canaryFactor === undefined ? {} : { factor: canaryFactor }), ...(canaryShare === undefined ? {} : { share: canaryShare }) } } : {};
}

/** As few as the mode and the robust rule allow. */
function fewestShops({ mode, robust, byzantine = 1, groups = 1 }: ServeConfig): number {
  const usual = mode === 'distributed' ? 5 * groups : 2;
  return robust === undefined ? usual : Math.max(usual, fewestRows(robust, byzantine));
}

function taskOf(config: ServeConfig, defaults: Readonly<Record<string, Json>>): unknown {
  const { clipNorm, sampling, adaptiveClip, tolerated, colluding, everySeconds } = config;
  return {
    name: config.task,
    model: { kind: config.model, hyperParameters: { ...defaults, ...config.hyperParameters } },
    privacy: {
      mode: config.mode,
      rounds: config.rounds,
      ...(config.mode === 'none' ? {} : { epsilon: config.epsilon, delta: config.delta }),
      ...(clipNorm === undefined ? {} : { clipNorm }),
      ...(sampling === undefined ? {} : { sampling: { rate: sampling, drawnBy: 'shop' } }),
      ...(adaptiveClip === undefined ? {} : { adaptiveClip: { expectedShoppers: adaptiveClip } }),
      ...(tolerated === undefined ? {} : { tolerated }),
      ...(colluding === undefined ? {} : { colluding }),
      encoding: config.encoding ?? usualEncoding(config),
      shopsPerShopper: config.shopsPerShopper,
    },
    cohort: { minParticipants: Math.min(config.minShops ?? fewestShops(config), config.shops), targetParticipants: config.shops, overSelection: config.overSelection },
    deadlines: { recruitingMs: 60_000, trainingMs: Math.ceil(config.trainingSeconds * 1000) },
    maxShoppersPerShop: config.maxShoppers,
    ...gateOf(config),
    ...robustOf(config),
    ...canaryOf(config),
    ...localTermsOf(config),
    ...(config.buffered === undefined ? {} : { aggregation: { kind: 'buffered', maxStaleness: config.buffered } }),
    schedule: { ...(everySeconds === undefined ? {} : { everySeconds }), minIntervalSeconds: config.minIntervalSeconds },
  };
}
