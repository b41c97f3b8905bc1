/** Takes a command line apart as a shell would, as far as transcripts need it: quotes, pipes, a file to write to. */

export interface Stage {
  /** What stands before the program: `ART_AUTHOR=Grace art log`. */
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  /** As it was written, for a real shell. */
  readonly text: string;
}

export interface ShellLine {
  readonly stages: readonly Stage[];
  /** Where `> FILE` sends the output of the last stage, if that is art's own. */
  readonly file: string | undefined;
}

const WORD = /(?:[^\s'"\\|<>&;#]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=\S)#)+/y;

export function parseLine(line: string): ShellLine {
  const stages: Stage[] = [];
  let words: string[] = [];
  let start = 0;
  let file: string | undefined;
  let at = 0;
  const endStage = () => {
    const isAssignment = (word: string) => /^[A-Z_]+=/.test(word);
    const first = words.findIndex((word) => !isAssignment(word));
    const env = words.slice(0, first).map((word) => {
      const cut = word.indexOf('=');
      return [word.slice(0, cut), word.slice(cut + 1)];
    });
    stages.push({
      env: Object.fromEntries(env) as Record<string, string>,
      words: words.slice(first),
      text: line.slice(start, at).trim(),
    });
    words = [];
  };
  while (at < line.length) {
    WORD.lastIndex = at;
    const word = WORD.exec(line)?.[0];
    if (word !== undefined) {
      words.push(unquoted(word));
      at += word.length;
    } else if (/\s/.test(line[at])) at++;
    else if (line[at] === '#') break;
    else if (line[at] === '|') {
      endStage();
      start = ++at;
    } else if (words.find((one) => !/^[A-Z_]+=/.test(one)) !== 'art') {
      // Anything else is for the shell, to the end of the line.
      at = line.length;
    } else if (line[at] === '>') {
      const rest = line.slice(at + 1).trim();
      file = unquoted(rest);
      break;
    } else throw new Error(`a transcript cannot have ${line[at]} after art: ${line}`);
  }
  endStage();
  return { stages, file };
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_, single?: string, double?: string, one?: string) => {
      return single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? one!;
    },
  );
}
