/** The thread that puts files in their places while the main one reads and checks the next. */
import { parentPort } from 'node:worker_threads';
import type { PlacedInRoom } from './placer.ts';
import { placeFiles, type Placement } from './placing.ts';

parentPort?.on('message', (placement: Placement) => {
  const room = placement.bytes.buffer as ArrayBuffer;
  const placed: PlacedInRoom = { ...placeFiles(placement), room };
  parentPort?.postMessage(placed, [placed.prints.buffer as ArrayBuffer, room]);
});
