/** Proves the contract of table-everyday.ts. */
import { prove } from './proof.ts';
import { EVERYDAY } from './table-everyday.ts';

prove(EVERYDAY);
