/** Shows how far long work is: one line on a terminal, from the first second on, gone at the end. */
import { formatBytes, formatCount, formatDuration } from '#base';
import type { Setting } from '#repo';
import type { Sink } from './sink.ts';

export type Progress = Parameters<NonNullable<Setting['onProgress']>>[0];

const AFTER_MS = 1000;
const EVERY_MS = 100;
const COLUMNS = 80;
const CLEAR = '\r\u001b[K';

export class ProgressLine {
  readonly #sink: Sink;
  readonly #now: () => number;
  readonly #startMs: number;
  #drawnMs = -Infinity;
  #shown = false;
  #ended = false;

  constructor(sink: Sink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
    this.#startMs = now();
  }

  show(progress: Progress): void {
    const nowMs = this.#now();
    const tookMs = nowMs - this.#startMs;
    if (this.#ended || !this.#sink.isTTY || tookMs < AFTER_MS || nowMs - this.#drawnMs < EVERY_MS) return;
    this.#drawnMs = nowMs;
    this.#shown = true;
    const width = (this.#sink.columns || COLUMNS) - 1; // Some terminals say that they have none.
    this.#write(CLEAR + progressText(progress, tookMs).slice(0, width));
  }

  /** Takes the line away, if it is there. */
  clear(): void {
    if (this.#shown) this.#write(CLEAR);
    this.#shown = false;
  }

  /** Takes it away for good. */
  end(): void {
    this.clear();
    this.#ended = true;
  }

  // A terminal that is gone is no reason to stop the work.
  #write(text: string): void {
    this.#sink.write(text).catch(() => {});
  }
}

/** `1,234 of 5,000 files  1.2 GiB  340 MiB/s  12 s left`; in the middle of the first file its bytes alone. */
export function progressText(progress: Progress, tookMs: number): string {
  const { files, bytes, totalFiles, totalBytes, what = 'file' } = progress;
  const counted =
    totalFiles === undefined
      ? formatCount(files, what)
      : `${formatCount(files)} of ${formatCount(totalFiles, what)}`;
  const sized =
    totalBytes === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  const isFirst = files === 0 && totalFiles === undefined && bytes > 0;
  const speed = `${formatBytes(Math.round((bytes * 1000) / Math.max(1, tookMs)))}/s`;
  // Who only counts has no bytes to tell of.
  const counts = bytes === 0 && totalBytes === undefined;
  const parts = [...(isFirst ? [] : [counted]), ...(counts ? [] : [sized, speed])];
  const done = totalBytes ? bytes / totalBytes : totalFiles ? files / totalFiles : 0;
  if (done > 0 && done < 1) parts.push(`${formatDuration((tookMs * (1 - done)) / done)} left`);
  return parts.join('  ');
}
