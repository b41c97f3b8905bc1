/** Runs Git on a folder of a scene, with none of the user's settings, and reads what it says differs. */
import { execFileSync, spawnSync } from 'node:child_process';
import type { DiffRow } from '#repo';

export const hasGit = spawnSync('git', ['--version']).status === 0;

const SETTINGS = ['user.name=a', 'user.email=a@b', 'core.fileMode=true', 'core.autocrlf=false'];

export class GitBeside {
  readonly #gitDir: string;
  readonly #workTree: string;

  constructor(gitDir: string, workTree: string) {
    this.#gitDir = gitDir;
    this.#workTree = workTree;
    execFileSync('git', ['init', '-q', '--bare', gitDir]);
  }

  commitAll(): void {
    this.#git('add', '-A', '-f', '.');
    this.#git('commit', '-q', '--allow-empty', '-m', 'x');
  }

  /** What differs between the last two commits, as `shown` writes rows; renames are of equal content. */
  lastChanges(): string[] {
    const fields = this.#git('diff', '--name-status', '-M100%', '-l0', '-z', 'HEAD~1', 'HEAD').split('\0');
    const rows: string[] = [];
    for (let i = 0; fields[i];) {
      const change = CHANGES[fields[i++][0]];
      rows.push(
        change === 'renamed' ? `${change} ${fields[i++]} -> ${fields[i++]}` : `${change} ${fields[i++]}`,
      );
    }
    return rows;
  }

  #git(...words: string[]): string {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const place = [`--git-dir=${this.#gitDir}`, `--work-tree=${this.#workTree}`];
    const argv = [...SETTINGS.flatMap((setting) => ['-c', setting]), ...place, ...words];
    return execFileSync('git', argv, { env, encoding: 'utf8', cwd: this.#workTree, maxBuffer: 2 ** 28 });
  }
}

const CHANGES: Readonly<Record<string, DiffRow['change']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  T: 'modified',
  R: 'renamed',
};

/** `modified a`, `renamed a -> b`. */
export function shown(rows: readonly DiffRow[]): string[] {
  return rows.map(({ change, from, path }) => `${change} ${from === null ? '' : `${from} -> `}${path}`);
}
