/** The thread that compresses frames while the main one reads and hashes files. */
import { workerData } from 'node:worker_threads';
import { compress, loadCompression } from './compression.ts';
import { FrameSlots, SLOTS } from './frame-slots.ts';
import { FRAME_RAW_MAX } from './pack-format.ts';

await loadCompression();
new FrameSlots(workerData as SharedArrayBuffer, SLOTS, FRAME_RAW_MAX).serve(compress);
