/** cli: words in, one library call, words out, exit status. */
export { runCli } from './run.ts';
export type { Host } from './run.ts';
export type { Sink } from './sink.ts';
