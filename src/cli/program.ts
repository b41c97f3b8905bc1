/** What the bundled program gives to whoever loads it. */
export { runCli } from './run.ts';
export { runProcess } from './process.ts';
export { letYoungHeapGrow } from './young-heap.ts';
