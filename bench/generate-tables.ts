/** Writes a CSV and a JSON Lines table that look like what people log, and their next day. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.ts';

const SEED = 20_240_301;
const BATCH_CHARS = 1 << 20;
/** Rows corrected in each table of 128 MiB; in smaller ones proportionally fewer. */
const EDITS_A_TABLE = 100;
const LABELS = ['cat', 'dog', 'truck', 'bicycle', 'pedestrian', 'traffic light', 'bird', 'none'];
const WORDS = 'clear rain night blur occluded crowded highway tunnel snow glare dusk empty fast slow'.split(
  ' ',
);
const HEADER = 'id,time,device,x,y,score,label,note\n';

export interface Tables {
  readonly mib: number;
  /** `second`: 1 % of new rows at the end and corrected rows scattered over the whole. */
  readonly content: 'first' | 'second';
}

/** Writes `folder`/measurements.csv and `folder`/events.jsonl, together `mib` MiB. */
export function writeTables(folder: string, { mib, content }: Tables): void {
  mkdirSync(folder, { recursive: true });
  const bytesEach = Math.floor((mib * 1024 * 1024) / 2);
  writeTable(join(folder, 'measurements.csv'), { header: HEADER, row: csvRow, bytesEach, mib, content });
  writeTable(join(folder, 'events.jsonl'), { header: '', row: jsonRow, bytesEach, mib, content });
}

interface Table extends Tables {
  readonly header: string;
  readonly row: (index: number, random: Random, revision: number) => string;
  readonly bytesEach: number;
}

function writeTable(path: string, table: Table): void {
  // Rows are short and nearly alike in length, so that an estimate is enough to scatter the edits over the whole.
  const rowsAbout = Math.floor(table.bytesEach / table.row(1_000_000, new Random(SEED), 0).length);
  const edits = Math.max(1, Math.round((EDITS_A_TABLE * table.mib) / 256));
  const edited = new Set(table.content === 'second' ? new Random(SEED).choose(edits, rowsAbout) : []);
  const bytesMax = table.content === 'second' ? table.bytesEach * 1.01 : table.bytesEach;
  const random = new Random(SEED, 1);
  const file = openSync(path, 'w');
  let batch = table.header;
  try {
    for (let written = 0, index = 0; written + batch.length < bytesMax; index++) {
      batch += table.row(index, random, edited.has(index) ? 1 : 0);
      if (batch.length < BATCH_CHARS) continue;
      writeSync(file, batch);
      written += batch.length;
      batch = '';
    }
    writeSync(file, batch);
  } finally {
    closeSync(file);
  }
}

function csvRow(index: number, random: Random, revision: number): string {
  const r = random.next() >>> 0;
  const s = random.next() >>> 0;
  const label = LABELS[((r >>> 8) + revision) % LABELS.length]!;
  return (
    `${index},${timeOf(index)},dev-${r % 48},${((r % 1_000_003) / 1000).toFixed(3)},${((s % 700_001) / 1000).toFixed(3)},` +
    `${((s >>> 4) / 268435456).toFixed(6)},${label},${WORDS[s % WORDS.length]!} ${WORDS[(r >>> 5) % WORDS.length]!}\n`
  );
}

function jsonRow(index: number, random: Random, revision: number): string {
  const r = random.next() >>> 0;
  const s = random.next() >>> 0;
  const label = LABELS[((r >>> 8) + revision) % LABELS.length]!;
  return (
    `{"id":${index},"time":"${timeOf(index)}","step":${index >> 3},"loss":${(((r >>> 3) / 536870912) * 4).toFixed(5)},` +
    `"box":[${r % 1920},${s % 1080},${(r >>> 16) % 640},${(s >>> 16) % 480}],"label":"${label}","tags":["${WORDS[s % WORDS.length]!}"]}\n`
  );
}

/** One row about every 2 seconds of a fixed month: a date that grows, as logs do. */
function timeOf(index: number): string {
  return new Date(1_709_251_200_000 + index * 1987).toISOString();
}
