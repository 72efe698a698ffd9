/** `cesta verify`: whether a coordinator's public record adds up. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { Verification } from '../verify.ts';
import { httpUrl, publicKey } from './options.ts';
import { print } from './output.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('replay a coordinator\'s public record and recompute its budget; exit code 1 when something does not add up')
    .argument('<url>', 'the coordinator', httpUrl)
    .option('--coordinator-key <hex>', 'the key that must have signed it (default: the one that the coordinator names)', publicKey)
    .option('--json', 'print one JSON object')
    .action(async (url: URL, options: { coordinatorKey?: string; json?: boolean }) => {
      const { verifyRecord } = await import('../verify.ts');
      const verification = await verifyRecord(url, options);
      print(options, verification, describe(verification));
      if (verification.findings.length > 0) process.exitCode = 1;
    });
}

function describe({ origin, key, size, root, cosignedBy, tasks, equivocations, findings }: Verification): string {
  const table = new Table({ head: ['task', 'plans', 'charged', 'released', 'held', 'epsilon', 'delta', 'release'], style: { head: [], border: [] } });
  for (const { task, plans, charged, released, held, epsilon, delta, release } of tasks) {
    table.push([task, plans, charged, released, held, epsilon === null ? 'nothing promised' : epsilon.toPrecision(6), delta ?? '', release === null ? '' : describeServed(release)]);
  }
  return [
    `${origin}${key === 'given' ? '' : ', a key that the coordinator names itself'}`,
    `${size} entries under root ${root}${cosignedBy.length === 0 ? '' : `, cosigned by ${cosignedBy.join(', ')}`}`,
    ...(tasks.length === 0 ? [] : [table.toString()]),
    ...(equivocations === 0 ? [] : [`${equivocations} proofs that a node said two things`]),
    ...findings.map(({ index, reason }) => (index === null ? `DIFFERENT: ${reason}` : `INCONSISTENT at entry ${index}: ${reason}`)),
    ...(findings.length === 0 ? ['The record adds up, and what is served is what it says.'] : []),
  ].join('\n');
}

function describeServed({ version, sha256, restores }: NonNullable<Verification['tasks'][number]['release']>): string {
  return `${version}${restores === null ? '' : ` (restores ${restores.version})`}: ${sha256.slice(0, 16)}`;
}
