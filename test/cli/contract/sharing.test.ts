/** Proves the contract of table-sharing.ts. */
import { prove } from './proof.ts';
import { SHARING } from './table-sharing.ts';

prove(SHARING);
