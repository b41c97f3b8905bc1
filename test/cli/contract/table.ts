/** Holds the contract of the command line, command by command, in the order of `art --help`. */
import { CARE } from './table-care.ts';
import type { Contract } from './contract.ts';
import { EVERYDAY } from './table-everyday.ts';
import { LOOKING } from './table-looking.ts';
import { NAMES } from './table-names.ts';
import { SHARING } from './table-sharing.ts';

export const CONTRACT: Contract = { ...EVERYDAY, ...LOOKING, ...CARE, ...NAMES, ...SHARING };
