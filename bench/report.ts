/** Turns samples into medians and ratios: one JSON line a result, and a table for people. */
import type { Row } from './scenario.ts';

export interface Result {
  readonly workload: string;
  readonly tool: string;
  readonly scale: number;
  readonly rounds: number;
  /** Medians over the rounds; `wallSecondsAll` in the order of the rounds. */
  readonly wallSeconds: number | null;
  readonly wallSecondsAll: readonly number[];
  readonly cpuSeconds: number | null;
  /** The largest of the rounds. */
  readonly peakRssBytes: number | null;
  readonly addedBytes: number | null;
  readonly repositoryBytes: number | null;
  /** To or from the remote, as the tool itself counts; null where it does not. */
  readonly requests: number | null;
  readonly sentBytes: number | null;
  /** Wall time over that of the fastest rival, of borg and of cp in the same round: medians over the rounds. */
  readonly toBest: number | null;
  readonly toBorg: number | null;
  readonly toCp: number | null;
  readonly durable: boolean;
  readonly problem: string | null;
}

/** The results of one workload; `rows` are those of all its tools. */
export function resultsOf(rows: readonly Row[], { scale }: { readonly scale: number }): Result[] {
  const wallOf = ({ samples }: Row): number[] => samples.map(({ wallSeconds }) => wallSeconds);
  const whole = rows.filter(({ problem, samples }) => problem === null && samples.length > 0);
  const rivals = whole.filter(({ peer }) => peer.role === 'rival').map(wallOf);
  const best = rivals[0]?.map((_, round) => Math.min(...rivals.map((walls) => walls[round]!)));
  const named = (name: string): number[] | undefined =>
    whole.filter(({ peer }) => peer.name === name).map(wallOf)[0];
  return rows.map((row) => {
    const walls = wallOf(row);
    return {
      workload: row.step.row,
      tool: row.peer.name,
      scale,
      rounds: walls.length,
      wallSeconds: medianOrNull(walls),
      wallSecondsAll: walls,
      cpuSeconds: medianOrNull(row.samples.map(({ cpuSeconds }) => cpuSeconds)),
      peakRssBytes: Math.max(...row.samples.map(({ peakRssBytes }) => peakRssBytes ?? 0)) || null,
      addedBytes: medianOrNull(row.samples.map(({ addedBytes }) => addedBytes)),
      repositoryBytes: medianOrNull(row.samples.map(({ repositoryBytes }) => repositoryBytes)),
      requests: medianOrNull(row.samples.map(({ requests }) => requests)),
      sentBytes: medianOrNull(row.samples.map(({ sentBytes }) => sentBytes)),
      toBest: ratio(walls, best),
      toBorg: ratio(walls, named('borg')),
      toCp: ratio(walls, named('cp')),
      durable: row.peer.durable,
      problem: row.problem,
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function ratio(walls: readonly number[], others: readonly number[] | undefined): number | null {
  if (others === undefined || walls.length === 0 || others.length !== walls.length) return null;
  return median(walls.map((wall, round) => wall / others[round]!));
}

const COLUMNS = ['', 'wall s', 'cpu s', '× best', '× borg', '× cp', 'peak MB', 'added MB', 'stored MB'];
const TRANSFER_COLUMNS = ['requests', 'sent MB'];

/** A table of one workload, in the order of the tools. */
export function tableOf(title: string, results: readonly Result[]): string {
  const isTransfer = results.some(({ requests }) => requests !== null);
  const header = isTransfer ? [...COLUMNS, ...TRANSFER_COLUMNS] : COLUMNS;
  const lines = results.map((result) => {
    const name = result.durable ? result.tool : `${result.tool} ~`;
    if (result.problem !== null) return [`${name}: ${result.problem.replaceAll('\n', ' ').slice(0, 300)}`];
    const { toBest, toBorg, toCp } = result;
    return [
      name,
      seconds(result.wallSeconds),
      seconds(result.cpuSeconds),
      ...[toBest, toBorg, toCp].map((value) => (value === null ? '–' : value.toFixed(2))),
      ...[result.peakRssBytes, result.addedBytes, result.repositoryBytes].map(megabytes),
      ...(isTransfer ? [result.requests?.toFixed(0) ?? '–', megabytes(result.sentBytes)] : []),
    ];
  });
  return `\n${title} (${results[0]?.workload ?? ''})\n${columnsOf([header, ...lines])}\n`;
}

/** Lines up cells: the first column to the left, all others to the right. A line of one cell is left alone. */
export function columnsOf(lines: readonly (readonly string[])[]): string {
  const table = lines.filter(({ length }) => length > 1);
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]! + 2))).join('');
  return lines.map((cells) => `  ${cells.length > 1 ? line(cells) : cells[0]!}`).join('\n');
}

const seconds = (value: number | null): string => (value === null ? '–' : value.toFixed(value < 10 ? 2 : 1));
const megabytes = (bytes: number | null): string => {
  if (bytes === null) return '–';
  return (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
};
