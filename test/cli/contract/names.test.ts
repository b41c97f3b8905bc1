/** Proves the contract of table-names.ts. */
import { prove } from './proof.ts';
import { NAMES } from './table-names.ts';

prove(NAMES);
