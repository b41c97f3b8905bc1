/** Writes help: of all commands, and of one with its options and examples. */
import type { Command, Options } from './command.ts';
import { COMMANDS } from './commands.ts';
import { alignRows } from './text.ts';
import { COMMON_OPTIONS, optionNames } from './words.ts';

export function generalHelp(): string {
  const commands = [...COMMANDS].map(([name, { summary }]) => [`  ${name}`, summary]);
  return [
    'art: versions of the files that machine learning works on',
    '',
    'Usage: art COMMAND [WORDS] [OPTIONS]',
    '',
    ...alignRows(commands),
    '',
    '`art COMMAND --help` shows its options and examples, `art --version` the version.',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const forms = command.usage.map((form, i) => `${i === 0 ? 'Usage: ' : '       '}art ${form}`);
  return [
    command.summary,
    '',
    ...forms,
    '',
    'Options',
    ...alignRows([...optionRows(command.options), ...optionRows(COMMON_OPTIONS)]),
    '',
    'Examples',
    ...alignRows(command.examples.map(([line, what]) => [`  ${line}`, `# ${what}`])),
  ].join('\n');
}

function optionRows(options: Options): string[][] {
  return Object.entries(options).map(([name, option]) => {
    const names = optionNames(name, option).join(', ');
    return [`  ${option.kind === 'switch' ? names : `${names} ${option.value}`}`, option.describe];
  });
}
