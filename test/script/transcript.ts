/** Reads and writes transcripts: sentences, commands, and what they answer. */

/** A command and what follows it. */
export interface Step {
  readonly kind: 'step';
  readonly command: string;
  /** The lines it is to write, `…` in them standing for any text, a line `…` for any lines. */
  readonly expected: readonly string[];
}

/** Lines that are only read by people: sentences, empty lines, what stands around a block. */
export interface Prose {
  readonly kind: 'prose';
  readonly lines: readonly string[];
}

export type Part = Step | Prose;

const PROMPT = '$ ';
/** What output may not begin with, or it would be read as something else: such a line is written behind a backslash. */
const TAKEN = /^(?:\$ |# |\[exit |\\|```)|^$/;

/** A script is a transcript with sentences: lines that begin with `# ` after an empty line. */
export function parseScript(text: string): readonly Part[] {
  const parts: Part[] = [];
  let lines: string[] = [];
  let command: string | undefined;
  const end = () => {
    if (command !== undefined) {
      const blank = lines.length - lines.findLastIndex((line) => line !== '') - 1;
      const expected = lines.slice(0, lines.length - blank);
      parts.push({ kind: 'step', command, expected });
      lines = lines.slice(lines.length - blank);
    }
    if (lines.length > 0) parts.push({ kind: 'prose', lines });
    lines = [];
    command = undefined;
  };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (line.startsWith(PROMPT)) {
      end();
      command = line.slice(PROMPT.length);
    } else {
      if (line.startsWith('# ')) end();
      lines.push(line);
    }
  }
  end();
  return parts;
}

export function formatScript(parts: readonly Part[]): string {
  const lines = parts.flatMap((part) =>
    part.kind === 'prose' ? part.lines : [PROMPT + part.command, ...part.expected],
  );
  return `${lines.join('\n')}\n`;
}

/** The console blocks of a Markdown page, each one transcript; all else is prose. */
export function parsePage(text: string): readonly Part[] {
  const parts: Part[] = [];
  for (const [i, piece] of text
    .replace(/\n$/, '')
    .split(/^(```console\n[^]*?\n```)$/m)
    .entries()) {
    if (i % 2 === 0) parts.push({ kind: 'prose', lines: piece.replace(/^\n|\n$/g, '').split('\n') });
    else {
      const [opening, ...lines] = piece.split('\n');
      const closing = lines.pop()!;
      parts.push({ kind: 'prose', lines: [opening] });
      parts.push(...parseScript(lines.join('\n')), { kind: 'prose', lines: [closing] });
    }
  }
  return parts;
}

/** Whether `lines` are what was expected. */
export function fits(lines: readonly string[], expected: readonly string[]): boolean {
  const patterns = expected.map((line) => {
    if (line === '…') return '(?:[^\\n]*\\n)*?';
    return `${line.split('…').map(literal).join('[^\\n]*?')}\\n`;
  });
  return new RegExp(`^${patterns.join('')}$`, 'u').test(lines.map((line) => `${line}\n`).join(''));
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** What a command wrote and ended with, as a transcript holds it. */
export function outcomeLines(output: string, status: number): readonly string[] {
  const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
  const kept = lines.map((line) => (TAKEN.test(line) ? `\\${line}` : line));
  return status === 0 ? kept : [...kept, `[exit ${status}]`];
}
