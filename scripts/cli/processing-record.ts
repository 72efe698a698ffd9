/** `cesta processing-record`: the record of Art. 30 GDPR, from the configuration. */
import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { jurisdictionNames, type JurisdictionName } from '../../shared/policy/jurisdictions.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { print } from './output.ts';

interface RecordOptions {
  config: string;
  jurisdiction?: JurisdictionName;
  out?: string;
  json?: boolean;
}

export function addProcessingRecord(program: Command): void {
  program.command('processing-record')
    .description('the record of processing activities (Art. 30 GDPR) of a coordinator, made of its settings')
    .requiredOption('--config <file>', 'what `cesta serve --config` reads')
    .addOption(new Option('--jurisdiction <name>', 'whose law it is for (default: that of the settings, else gdpr)').choices(jurisdictionNames))
    .option('--out <file>', 'write it there as Markdown, and beside it as JSON (FILE.json)')
    .option('--json', 'print it as JSON')
    .action(async (options: RecordOptions) => {
      const { processingFacts } = await import('../processing-record.ts');
      const { processingMarkdown, processingRecord } = await import('../../shared/policy/processing-record.ts');
      const record = processingRecord(await processingFacts(options.config, options.jurisdiction));
      const markdown = processingMarkdown(record);
      if (options.out === undefined) return print(options, record, markdown.trimEnd());
      try {
        writeFileSync(options.out, markdown);
        writeFileSync(`${options.out}.json`, `${JSON.stringify(record, null, 2)}\n`);
      } catch (cause) {
        throw new CestaError('storage.failed', `--out: expected a file that can be written, got ${options.out}`, { cause });
      }
      print(options, { out: options.out, open: record.open }, [`${options.out} and ${options.out}.json are written. To be added:`, ...record.open.map((item) => `- ${item}`)].join('\n'));
    });
}
