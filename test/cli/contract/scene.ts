/** Sets up the repository that the contract's lines are run in, anew for each of them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseLine } from '../../script/shell-line.ts';
import { art } from '../host.ts';
import type { Told } from '../host.ts';
import type { Run } from './contract.ts';

/** In memory where there is such a place: nothing here has to outlive the test, and hundreds of lines sync. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Two artifacts: `d`, bound to `data`, with two versions, and `m` of type model, bound to nothing. */
const SETTING = [
  'init',
  '$ mkdir -p data/sub && printf one > data/a.txt && printf two > data/sub/b.txt',
  'commit d data -m first -a best --tag gold --meta lr=0.1 --description "Some *data*."',
  '$ printf three > data/c.txt && ln -s a.txt data/link && mkdir data/empty',
  'commit d -m second',
  '$ printf weights > model.pt && printf "{}" > meta.json',
  'commit m model.pt -t model',
  // A folder that holds `d` and is not bound, and one that holds nothing.
  'checkout d:v0 older',
  '$ mkdir elsewhere',
];

export class ContractScene implements Disposable {
  readonly #home = realpathSync(mkdtempSync(join(PLACE, 'art-contract-')));
  #spoilt = false;
  readonly #kept = join(this.#home, 'kept');
  /** Always the same place: what a folder holds is remembered by its path. */
  readonly root = join(this.#home, 'project');

  static async make(): Promise<ContractScene> {
    const scene = new ContractScene();
    mkdirSync(scene.root);
    for (const line of SETTING) {
      const { status, err } = await scene.run(line);
      if (status !== 0) throw new Error(`${line}: ${err}`);
    }
    cpSync(scene.root, scene.#kept, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    return scene;
  }

  /** Says that what comes next changes something. */
  spoilt(): void {
    this.#spoilt = true;
  }

  /** Puts everything back as it was made, if it was spoilt. */
  reset(): void {
    if (!this.#spoilt) return;
    this.#spoilt = false;
    rmSync(this.root, { recursive: true, force: true });
    cpSync(this.#kept, this.root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }

  /** A line of the shell, if it begins with `$ `, else of art. */
  async run(line: string): Promise<Told> {
    if (!line.startsWith('$ ')) return this.art(wordsOf(line));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line.slice(2)], {
      cwd: this.root,
      encoding: 'utf8',
    });
    return { status: status ?? 1, out: stdout, err: stderr };
  }

  art(words: readonly string[], { in: folder = '.', stdin }: Pick<Run, 'in' | 'stdin'> = {}): Promise<Told> {
    return art(words, {
      cwd: resolve(this.root, folder),
      env: { XDG_CONFIG_HOME: join(this.root, '.home') },
      ...(stdin !== undefined && { stdin }),
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** The words of a line, quotes taken off. */
export function wordsOf(line: string): readonly string[] {
  return parseLine(`art ${line}`).stages[0].words.slice(1);
}
