/** Writes one difference for people: its line, and what changed in its content. */
import { formatBytes, formatCount } from '#base';
import type { RowLook } from '#content';
import type { ContentChange, DiffChange, DiffRow } from '#repo';
import type { Output, Style } from './output.ts';
import { printable } from './text.ts';

export const CHANGE_STYLES: Readonly<Record<DiffRow['change'], Style>> = {
  added: 'green',
  modified: 'yellow',
  removed: 'red',
  renamed: 'cyan',
};

const CHANGE_WIDTH = 8;
/** A longer line is cut: nobody reads on, and a terminal takes its time with it. */
const LINE_LENGTH_MAX = 1000;

/** `modified  train/a.txt  1.2 KiB → 1.3 KiB`. */
export function changeLine(change: DiffChange, out: Output): string {
  const word = out.style(CHANGE_STYLES[change.change], change.change.padEnd(CHANGE_WIDTH));
  const path = out.style('bold', printable(change.path));
  const from = change.from === null ? '' : `${printable(change.from)} → `;
  const remarks = [sizeText(change), ...modeRemarks(change)].filter((text) => text !== '');
  return `${word}  ${from}${path}  ${out.style('dim', remarks.join(', '))}`.trimEnd();
}

function sizeText({ path, change, sizeBefore, sizeAfter }: DiffRow): string {
  if (path.endsWith('/')) return 'empty folder';
  if (sizeBefore === null || sizeAfter === null) return formatBytes(sizeBefore ?? sizeAfter ?? 0);
  if (change === 'renamed') return formatBytes(sizeAfter);
  if (sizeBefore === sizeAfter) return `${formatBytes(sizeAfter)} as before`;
  const [old, now] = [formatBytes(sizeBefore), formatBytes(sizeAfter)];
  // Two sizes that look the same would tell nothing.
  return old === now ? `${formatCount(sizeBefore)} → ${formatCount(sizeAfter)} B` : `${old} → ${now}`;
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [-1]: 'no file, folder or link',
  0: 'a file',
  1: 'a link',
  2: 'an empty folder',
  3: 'a reference',
};

function modeRemarks({ before, after }: DiffChange): string[] {
  if (before === undefined || after === undefined) return [];
  if (before.kind !== after.kind) return [`was ${KIND_NAMES[before.kind]}, is ${KIND_NAMES[after.kind]}`];
  if (before.executable === after.executable) return [];
  return [after.executable ? 'now executable' : 'no longer executable'];
}

/** What changed in the content, line by line; nothing if there is nothing to tell. */
export function* contentLines(content: ContentChange, out: Output): Generator<string, void> {
  if (content.kind === 'none') return;
  yield* linesOf(content, out);
  yield '';
}

function* linesOf(content: ContentChange, out: Output): Generator<string, void> {
  const minus = (text: string) => out.style('red', `-${text}`);
  const plus = (text: string) => out.style('green', `+${text}`);
  switch (content.kind) {
    case 'none':
      return;
    case 'link':
      if (content.before !== null) yield minus(printable(content.before));
      if (content.after !== null) yield plus(printable(content.after));
      return;
    case 'bytes':
      yield `  ${bytesText(content)}`;
      return;
    case 'rows': {
      const { added, removed, addedSamples, removedSamples, look } = content;
      if (look !== undefined) {
        yield `  ${lookText(look)}`;
        return;
      }
      yield `  ${formatCount(removed, 'row')} removed, ${formatCount(added, 'row')} added`;
      for (const row of removedSamples) yield minus(cut(row));
      if (removed > removedSamples.length) yield minus('…');
      for (const row of addedSamples) yield plus(cut(row));
      if (added > addedSamples.length) yield plus('…');
      return;
    }
    case 'text':
      for (const { beforeStart, beforeLines, afterStart, afterLines, lines } of content.hunks) {
        const at = `@@ -${spanText(beforeStart, beforeLines)} +${spanText(afterStart, afterLines)} @@`;
        yield out.style('cyan', at);
        for (const { sign, text } of lines) {
          const ended = text.endsWith('\n');
          const shown = cut(ended ? text.slice(0, -1) : text);
          yield sign === '-' ? minus(shown) : sign === '+' ? plus(shown) : ` ${shown}`;
          if (!ended) yield '\\ No newline at end of file';
        }
      }
  }
}

function lookText({ order, lineEnds, blankLines }: RowLook): string {
  const count = formatCount(Math.abs(blankLines), 'blank line');
  const parts = [
    ...(order ? ['in another order'] : []),
    ...(lineEnds ? ['with other line ends'] : []),
    ...(blankLines === 0 ? [] : [`with ${count} ${blankLines > 0 ? 'more' : 'fewer'}`]),
  ];
  return `the same rows, ${parts.join(', ')}`;
}

function bytesText({ why, similarity }: Extract<ContentChange, { kind: 'bytes' }>): string {
  const what = why === 'binary' ? 'binary' : 'too long to show line by line';
  if (similarity === null) return what;
  // Rounded down, so that 100 % would mean all of it.
  return `${what}; ${Math.floor(similarity * 100)} % of it in common`;
}

function spanText(start: number, lines: number): string {
  return lines === 1 ? `${start}` : `${start},${lines}`;
}

/** A tab is what it is within a line; anything else that moves the cursor is not. */
function cut(line: string): string {
  const shown = line.length > LINE_LENGTH_MAX ? line.slice(0, LINE_LENGTH_MAX) : line;
  const more = line.length - shown.length;
  const text = shown.split('\t').map(printable).join('\t');
  return more === 0 ? text : `${text}… (${formatCount(more, 'more character')})`;
}
