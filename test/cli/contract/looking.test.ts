/** Proves the contract of table-looking.ts. */
import { prove } from './proof.ts';
import { LOOKING } from './table-looking.ts';

prove(LOOKING);
