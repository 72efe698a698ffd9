/**
 * Where the report of a breach goes: a page and its JSON, claimed before anything is changed, so that a folder that cannot be
 * written to is found out while nobody depends on the report yet.
 */
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../client/shop/durable-file.ts';
import { breachMarkdown, type BreachReport } from '../../shared/policy/breach.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface ReportFiles {
  readonly paths: { readonly json: string; readonly markdown: string };
  write(report: BreachReport): void;
  /** Where there will be no report; also done when the process exits before there is one. */
  readonly discard: () => void;
}

/**
 * Named by kind and time, so that a drill and the real thing never take each other's place.
 * @param folder made if it is not there @param at ISO 8601 @throws CestaError `config.invalid`
 */
export function claimReportFiles(folder: string, kind: BreachReport['kind'], at: string): ReportFiles {
  const name = `${kind === 'drill' ? 'drill' : 'breach'}-${at.replace(/[:-]|\.\d+/g, '')}`;
  const paths = { json: join(folder, `${name}.json`), markdown: join(folder, `${name}.md`) };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const path of Object.values(paths)) closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    throw new CestaError('config.invalid', `--out: expected a folder that can be written to and has no ${name} yet, got ${folder}`, { cause });
  }
  const discard = (): void => Object.values(paths).forEach((path) => rmSync(path, { force: true }));
  process.once('exit', discard);
  return {
    paths,
    write(report) {
      process.off('exit', discard);
      writeDurably(paths.json, folder, `${JSON.stringify(report, null, 2)}\n`);
      writeDurably(paths.markdown, folder, breachMarkdown(report));
    },
    discard,
  };
}
