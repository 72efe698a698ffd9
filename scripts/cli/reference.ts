/** `cesta reference`: the privacy engine against published and independently computed values. */
import type { Command } from 'commander';
import { print } from './output.ts';

export function addReference(program: Command): void {
  program
    .command('reference')
    .description('run every case of a file of reference values through the privacy engine')
    .argument('<file>', 'JSON file of cases')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: { json?: boolean }) => {
      const { runReference } = await import('../reference.ts');
      const result = await runReference(file);
      const lines = result.cases.map(({ id, kind, expected, got, pass }) => `${pass ? 'pass' : 'FAIL'}  ${id}  ${kind}  expected ${JSON.stringify(expected)}  got ${JSON.stringify(got)}`);
      print(options, result, [...lines, `${result.passed} passed, ${result.failed} failed`].join('\n'));
      if (result.failed > 0) process.exitCode = 1;
    });
}
