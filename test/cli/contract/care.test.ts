/** Proves the contract of table-care.ts. */
import { prove } from './proof.ts';
import { CARE } from './table-care.ts';

prove(CARE);
