/** Writes to one of the process's own streams, and waits until the system has taken it. */
import { fstatSync } from 'node:fs';
import type { Sink } from './sink.ts';

export function processSink(stream: NodeJS.WriteStream & { readonly fd: number }): Sink {
  // Failures reach the callback of the write; without a listener they would end the process with a stack.
  stream.on('error', () => {});
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    mayBlock: !isFile(stream.fd),
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
