/** `cesta policy`: whether a coordinator's settings are within a policy, without starting it. */
import { Option, type Command } from 'commander';
import { CestaError } from '../../shared/protocol/errors.ts';
import { addSettings, readSettings } from './config/serve-options.ts';
import { print } from './output.ts';
import { accountabilityOf, coordinatorOptions } from './serve.ts';

export function addPolicy(program: Command): void {
  const check = program.command('policy').description('the red lines of an organisation, as a file')
    .command('check').description('whether what serve would start is within its policy; starts nothing');
  addSettings(check);
  check
    .addOption(new Option('--config <file>', 'settings as a JSON object').env('CESTA_CONFIG'))
    .option('--json', 'print one JSON object')
    .action(async (options: { config?: string; json?: boolean }) => {
      const { readPolicy, withinPolicy } = await import('../policy-file.ts');
      const { readCatalogue } = await import('../../client/shop/read-data.ts');
      const { enforcePolicy, factsOfTask } = await import('../../shared/policy/checks.ts');
      const { parseTaskSpec } = await import('../../shared/federation/task.ts');
      const { config } = readSettings(check, options.config);
      if (config.policy === undefined) throw new CestaError('usage.invalid', '--policy: expected a file, got none');
      const policy = readPolicy(config.policy);
      const given = config.catalogue === undefined ? undefined : await readCatalogue(config.catalogue);
      const allowed = withinPolicy(policy, accountabilityOf(config), given);
      enforcePolicy(policy, factsOfTask(parseTaskSpec((await coordinatorOptions(config, allowed)).task)), `task ${config.task}`);
      const left = (given?.products.length ?? 0) - (allowed?.products.length ?? 0);
      print(options, { policy: config.policy, lines: policy.directives.length, productsLeftOut: left }, `${config.policy}: the settings keep to its ${policy.directives.length} lines${left === 0 ? '' : `; ${left} products of banned categories are left out`}`);
    });
}
