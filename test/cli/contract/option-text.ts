/** Writes an option as the contract does. */
import type { Option } from '../../../src/cli/command.ts';
import { optionNames } from '../../../src/cli/words.ts';

/** `-a, --alias ALIAS...`: its names, its value, and dots if it may be given again. */
export function optionText([name, option]: readonly [string, Option]): string {
  const again = option.kind === 'text' && option.given !== 'once' ? '...' : '';
  const value = option.kind === 'switch' ? '' : ` ${option.value}${again}`;
  return optionNames(name, option).join(', ') + value;
}
