/** Sets up repositories and folders in a temporary place, with a clock that tests can trust. */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { initRepository, openRepository } from '#repo';
import type { PromiseKeeper, Repository, Setting } from '#repo';

export class Scene implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'art-repo-'));
  readonly warnings: string[] = [];
  /** Makes what brings promised objects, for each repository that is opened. */
  keeper: () => PromiseKeeper | undefined = () => undefined;
  #time = Date.UTC(2026, 0, 1);

  static async make(): Promise<Scene> {
    const scene = new Scene();
    await initRepository(scene.root);
    return scene;
  }

  async open(setting: Partial<Setting> = {}): Promise<Repository> {
    const usual: Setting = {
      author: 'ada',
      host: 'here',
      command: 'test',
      run: null,
      now: () => (this.#time += 1000),
      folder: this.root,
      artifactsFolder: 'artifacts',
      onWarning: (text) => this.warnings.push(text),
    };
    return openRepository({ ...usual, ...setting }, this.keeper());
  }

  /** Runs `work` on a repository opened for it alone, as a command does. */
  async in<T>(work: (repository: Repository) => Promise<T>, setting: Partial<Setting> = {}): Promise<T> {
    await using repository = await this.open(setting);
    return await work(repository);
  }

  /** Lets time go by. */
  pass(ms: number): void {
    this.#time += ms;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Writes files by path; null removes one. */
  write(files: Readonly<Record<string, string | Uint8Array | null>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = this.path(path);
      if (content === null) rmSync(file, { recursive: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  copyTo(path: string, target: string): void {
    cpSync(this.path(path), this.path(target), { recursive: true, verbatimSymlinks: true });
  }

  /** Everything below a folder: contents, exec bits, links and empty folders. */
  contents(path: string): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (folder: string, prefix: string) => {
      const names = readdirSync(folder).sort();
      if (names.length === 0 && prefix !== '') found[prefix] = 'empty';
      for (const name of names) {
        const at = join(folder, name);
        const stat = lstatSync(at);
        if (stat.isDirectory()) walk(at, `${prefix}${name}/`);
        else if (stat.isSymbolicLink()) found[prefix + name] = `link ${readlinkSync(at)}`;
        else found[prefix + name] = `${stat.mode & 0o100 ? 'x' : '-'} ${readFileSync(at).toString('base64')}`;
      }
    };
    walk(this.path(path), '');
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.root, { recursive: true, force: true });
  }
}
