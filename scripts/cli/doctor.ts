/** `cesta doctor`: what is wrong with a file, and what would be dropped. */
import type { Command } from 'commander';
import { addDataOptions, type DataOptions } from './data-options.ts';
import { print } from './output.ts';

export function addDoctor(program: Command): void {
  const command = program.command('doctor').description('say what is wrong with a data file, with line numbers, and what would be dropped').argument('<file>', 'the file, or online-retail');
  addDataOptions(command, { positional: true })
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: Omit<DataOptions, 'data'> & { json?: boolean }) => {
      const { diagnose, formatDiagnosis } = await import('../doctor.ts');
      const diagnosis = await diagnose(file, options);
      print(options, diagnosis, formatDiagnosis(diagnosis));
    });
}
