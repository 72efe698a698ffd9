/** `cesta backup` and `cesta restore`: everything a coordinator must not lose, into a folder and out of it. */
import { Option, type Command } from 'commander';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { BackupManifest } from '../../server/backup/manifest.ts';
import { print } from './output.ts';

interface Place {
  dataDir: string;
  database?: string;
  json?: boolean;
}

const danger = `A backup forgets what happens after it was taken. Restored later, the coordinator has forgotten budget that was
spent since. Shops that took part since notice: they answer no plan twice, and once they have seen more of the
public record than the backup has, they join no more; other shops cannot tell. Back up after every round, restore
the newest, and never run the old coordinator beside the restored one. It holds the signing key: keep it as safe.`;

export function addBackup(program: Command): void {
  withPlace(program.command('backup').description('copy journal, keys and releases into a new folder, while the coordinator runs'))
    .option('--to <folder>', 'must not exist yet')
    .option('--verify <folder>', 'check every digest of a backup instead')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `\n${danger}`)
    .action(async (options: Place & { to?: string; verify?: string }) => {
      if ((options.to === undefined) === (options.verify === undefined)) throw new CestaError('usage.invalid', '--to and --verify: expected one of them, got both or none');
      if (options.verify !== undefined) {
        const { verifyBackup } = await import('../../server/backup/manifest.ts');
        report(options, options.verify, verifyBackup(options.verify));
        return;
      }
      const { backup } = await import('../../server/backup/backup.ts');
      const to = options.to ?? '';
      report(options, to, await backup({ dataDir: options.dataDir, database: options.database, to, now: new Date() }));
      process.stderr.write(`${danger}\n`);
    });
}

export function addRestore(program: Command): void {
  withPlace(program.command('restore').description('make the folder and the database of a coordinator from a backup'))
    .requiredOption('--from <folder>', 'what `cesta backup` made')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `\n${danger}`)
    .action(async (options: Place & { from: string }) => {
      process.stderr.write(`${danger}\n`);
      const { restore } = await import('../../server/backup/restore.ts');
      report(options, options.dataDir, await restore({ from: options.from, dataDir: options.dataDir, database: options.database }));
    });
}

function withPlace(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'the coordinator\'s folder', '.cesta/coordinator')
    .addOption(new Option('--database <address>', 'where its journal is, if not in the folder').env('CESTA_DATABASE'));
}

function report(options: Place, folder: string, { createdAt, publicKey, files, missing }: BackupManifest): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  print(options, { folder, createdAt, publicKey, files: files.length, bytes, missing },
    `${folder}: ${files.length} files, ${bytes} bytes, of ${createdAt}\nKey ${publicKey}${missing.length === 0 ? '' : `\nMissing or damaged where it was taken: ${missing.join(', ')}`}`);
}
