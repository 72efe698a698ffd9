/** The settings of `cesta serve` as options of the command, and back. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { resolveSettings, type Effective } from './layers.ts';
import { serveGroups, serveSettings } from './serve-settings.ts';
import { keyOf, type Setting } from './setting.ts';

export function addSettings(command: Command): void {
  for (const [heading, settings] of Object.entries(serveGroups)) {
    for (const setting of Object.values(settings)) command.addOption(optionOf(setting).helpGroup(heading));
  }
  command.addHelpText('after', '\nEvery option but those of the call itself is a variable, too (--port: CESTA_PORT; lists separated by commas), and a key of\nthe file (--over-selection: "overSelection"). Flags come before variables, variables before the file.');
}

/** No default of commander's: then it would not be known who said what. */
function optionOf(setting: Setting): Option {
  const option = new Option(setting.flags, helpOf(setting));
  if (setting.isSwitch) return option;
  const check = (text: string): string => {
    const { success } = setting.schema.safeParse(setting.isList ? [text] : setting.fromText(text));
    if (!success) throw new InvalidArgumentError(`Expected ${setting.expected}, got ${text}.`);
    return text;
  };
  return setting.isList ? option.argParser((text, previous: readonly string[] | undefined) => [...(previous ?? []), check(text)]) : option.argParser(check);
}

function helpOf({ help, fallback, isSwitch }: Setting): string {
  const value = fallback?.();
  const told = Array.isArray(value) ? value.join(', ') : typeof value === 'string' || typeof value === 'number' ? `${value}` : '';
  return isSwitch || told === '' ? help : `${help} (default: ${told})`;
}

/** @throws CestaError see {@link resolveSettings} */
export function readSettings(command: Command, file: string | undefined): Effective<typeof serveSettings> {
  return resolveSettings(serveSettings, { flags: flagsOf(command), env: process.env, file, otherVariables: variablesOfOthers(command) });
}

/** A switch `--no-x` is one of its own here, as it is in a variable and a file; to commander it is x, and false. */
function flagsOf(command: Command): Record<string, unknown> {
  const flags: Record<string, unknown> = { ...command.opts() };
  for (const option of command.options.filter(({ negate }) => negate)) {
    const name = option.attributeName();
    if (flags[name] === false) flags[keyOf({ flags: option.flags })] = true;
    delete flags[name];
  }
  return flags;
}

/** What other verbs read without an option of that name. */
const withoutOption = ['CESTA_HOME', 'CESTA_ADMIN_TOKEN'];

/** Variables of this and other verbs that are no settings. */
function variablesOfOthers(command: Command): string[] {
  let root = command;
  while (root.parent !== null) root = root.parent;
  const all = (current: Command): string[] => [...current.options.flatMap(({ envVar }) => envVar ?? []), ...current.commands.flatMap(all)];
  return [...withoutOption, ...all(root)];
}
