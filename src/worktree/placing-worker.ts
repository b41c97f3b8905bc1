/** The thread that puts files in their places while the main one reads and checks the next. */
import { parentPort } from 'node:worker_threads';
import { placeFiles, type Placement } from './placing.ts';

parentPort?.on('message', (placement: Placement) => {
  const placed = placeFiles(placement);
  parentPort?.postMessage(placed, [placed.prints.buffer as ArrayBuffer]);
});
