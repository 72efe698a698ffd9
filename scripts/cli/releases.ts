/** `cesta releases`: what was made for a task, and which of it is served. */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import type { CanaryVerdict } from '../../shared/evaluation/exposure-canary.ts';
import { rejectedSchema, servedSchema } from '../../server/http/admin-schemas.ts';
import { releasesSchema } from '../../server/http/schemas.ts';
import { addAdminOptions, adminOf, tableOf, type AdminOptions } from './admin-options.ts';
import { integerIn } from './options.ts';
import { print } from './output.ts';

interface ReleaseOptions extends AdminOptions {
  task: string;
}

const version = integerIn(1, 999_999_999);

export function addReleasesVerb(program: Command): void {
  const releases = program.command('releases').description('list, promote, reject or roll back the releases of a task (for operators, after `cesta login`)');
  const verb = (name: string, description: string): Command =>
    addAdminOptions(releases.command(name).description(description).addOption(new Option('--task <name>', 'whose releases').makeOptionMandatory()));
  verb('list', 'releases, newest first')
    .option('--before <version>', 'only lower versions', version)
    .option('--limit <n>', 'how many', integerIn(1, 100), 20)
    .action(list);
  verb('promote', 'serve a release; one that was served before comes back as a new version').argument('<version>', 'its number', version).action(async (number: number, options: ReleaseOptions) => {
    tell(options, await (await adminOf(options)).call('POST', `${pathOf(options)}/${number}/promote`, servedSchema));
  });
  verb('reject', 'decide against a candidate').argument('<version>', 'its number', version).action(async (number: number, options: ReleaseOptions) => {
    const answer = await (await adminOf(options)).call('POST', `${pathOf(options)}/${number}/reject`, rejectedSchema);
    print(options, answer, `Release ${answer.version} of ${options.task} is rejected`);
  });
  verb('rollback', 'serve again what was served before, as a new version').action(async (options: ReleaseOptions) => {
    tell(options, await (await adminOf(options)).call('POST', `${pathOf(options)}/rollback`, servedSchema));
  });
}

function pathOf({ task }: ReleaseOptions): string {
  return `/tasks/${encodeURIComponent(task)}/releases`;
}

async function list(options: ReleaseOptions & { before?: number; limit: number }): Promise<void> {
  const { before, limit } = options;
  const page = await (await adminOf(options)).call('GET', `${pathOf(options)}?limit=${limit}${before === undefined ? '' : `&before=${before}`}`, releasesSchema);
  const rows = page.releases.map((release) => [release.version, release.state, release.restores, release.round, release.createdAt, release.epsilon?.toPrecision(4) ?? null, Math.round(release.shoppers), release.sha256.slice(0, 16)]);
  const held = page.releases.flatMap(({ version: of, state, canary }) => (canary === null ? [] : [describeCanary(of, state, canary)]));
  const more = page.next === null ? [] : [`Older ones: --before ${page.next}`];
  print(options, page, [tableOf(['version', 'state', 'restores', 'round', 'made', 'epsilon spent', 'shoppers', 'digest (start)'], rows, 'There are no releases.'), ...held, ...more].join('\n'));
}

function describeCanary(of: number, state: string, { probes, items }: CanaryVerdict): string {
  const digits = (exposure: number): string => exposure.toFixed(3);
  const named = items.map(({ item, served, candidate }) => `${item} from ${digits(served)} to ${digits(candidate)}`);
  return `Release ${of} was held back by the canary${state === 'candidate' ? ' and waits for promote or reject' : ''}; exposure in the lists of ${probes} probes: ${named.join(', ')}`;
}

function tell(options: ReleaseOptions, answer: z.infer<typeof servedSchema>): void {
  const again = answer.restores === null ? '' : `, which is ${answer.restores} again`;
  print(options, answer, `Task ${options.task} serves release ${answer.version}${again}`);
}
