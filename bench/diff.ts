/** Measures `art diff` of two versions of many entries, start included, against a bare `node -e 0` and Git. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CHUNK, FILE, encodeCommit, hash, type Digest, type MapEntry } from '#object';
import { initRepository, layoutOf } from '#repo';
import { LevelStore, type Transaction } from '#store';
import { MapBuilder, edit, type MapEdit, type MapRoot } from '#tree';
import {
  addVersion,
  encodeName,
  encodeRef,
  newArtifact,
  parseArtifactName,
  parseTypeName,
  recordKeys,
  saveArtifact,
} from '#version';
import { ART_ARGV } from './peer.ts';
import { columnsOf, median } from './report.ts';

const ROUNDS = 10;
const ENTRIES = 1_000_000;
const EMPTY = new Uint8Array(0);
/** Letting go of the transaction's turn now and then keeps what it holds in memory small. */
const PUTS_A_BREATH = 1000;

export interface DiffResult {
  readonly workload: 'diff-1m';
  readonly command: string;
  readonly rounds: number;
  readonly wallSeconds: number;
  /** To `node -e 0` in the same round: median over the rounds. */
  readonly toNode: number;
}

/** `repository` and `gitFolder` are empty folders. Versions v1 and v2 have 1,000 and 10 changes against v0. */
export async function measureDiff(
  repository: string,
  gitFolder: string,
  options: { readonly scale: number },
): Promise<DiffResult[]> {
  const count = Math.round(ENTRIES * options.scale);
  const commands: Record<string, { readonly argv: readonly string[]; readonly cwd: string }> = {
    'node -e 0': { argv: [process.execPath, '-e', '0'], cwd: repository },
  };
  if (existsSync(ART_ARGV[1]!)) {
    await writeVersions(repository, count);
    for (const [words, changes] of [
      ['d:v0 d:v1', '1,000'],
      ['d:v0 d:v2', '10'],
    ]) {
      const argv = [...ART_ARGV, 'diff', ...words.split(' '), '--json'];
      commands[`art diff, ${changes} changes`] = { argv, cwd: repository };
    }
  }
  if (spawnSync('git', ['--version']).error === undefined && writeGit(gitFolder, count)) {
    const argv = ['git', 'diff', '-M100%', '-l0', '--name-status', 'v0', 'v1'];
    commands['git diff, 1,000 changes'] = { argv, cwd: gitFolder };
  }
  return measured(commands);
}

function measured(
  commands: Readonly<Record<string, { readonly argv: readonly string[]; readonly cwd: string }>>,
): DiffResult[] {
  const walls = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, { argv, cwd }] of Object.entries(commands)) {
      const started = process.hrtime.bigint();
      const { status } = spawnSync(argv[0]!, argv.slice(1), { cwd, stdio: 'ignore' });
      const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (status !== 0) throw new Error(`${name} failed with status ${status}`);
      if (round > 0) walls.get(name)!.push(wallSeconds);
    }
  }
  const bare = walls.get('node -e 0')!;
  return [...walls].map(([command, all]) => ({
    workload: 'diff-1m',
    command,
    rounds: ROUNDS,
    wallSeconds: median(all),
    toNode: median(all.map((wall, round) => wall / bare[round]!)),
  }));
}

export function diffTable(results: readonly DiffResult[]): string {
  const lines = results.map(({ command, wallSeconds, toNode }) => [
    command,
    (wallSeconds * 1000).toFixed(1),
    toNode.toFixed(2),
  ]);
  return `\ndiff of two versions of 1,000,000 entries, median of ${ROUNDS} (diff-1m)\n${columnsOf([['', 'ms', '× node'], ...lines])}\n`;
}

/** In folders of 1,000; the names sort as the numbers do. */
function pathOf(i: number): string {
  return `f${String(Math.floor(i / 1000)).padStart(4, '0')}/${String(i % 1000).padStart(3, '0')}.txt`;
}

function contentOf(i: number, edition: number): Buffer {
  return Buffer.from(`${i} ${edition}\n`);
}

/** A path and its content, or a path that is gone. */
interface Change {
  readonly path: string;
  readonly content: Buffer | undefined;
}

/** Of ten changes one is an added, one a removed, two make a renamed file, the rest are edits; in key order. */
function changesOf(count: number, changes: number, edition: number): Change[] {
  const step = Math.floor(count / changes);
  return Array.from({ length: changes }, (_, n): Change[] => {
    const i = n * step;
    const path = pathOf(i);
    if (n % 10 === 0) return [{ path: `${path}.new`, content: contentOf(i, edition) }];
    if (n % 10 === 1) return [{ path, content: undefined }];
    if (n % 10 !== 2) return [{ path, content: contentOf(i, edition) }];
    return [
      { path, content: undefined },
      { path: `${path}.moved`, content: contentOf(i, 0) },
    ];
  }).flat();
}

/** Puts the versions together from their entries: making and reading a million files would take minutes. */
async function writeVersions(root: string, count: number): Promise<void> {
  await initRepository(root);
  await using store = new LevelStore(layoutOf(root).art);
  await using tx = await store.begin();
  const builder = new MapBuilder(tx);
  for (let i = 0; i < count; i++) {
    builder.add(putFile(tx, pathOf(i), contentOf(i, 0)));
    if (i % PUTS_A_BREATH === 0) await tx.breathe();
  }
  const roots = [builder.finish()];
  for (const [edition, changes] of [
    [1, 1000],
    [2, 10],
  ]) {
    const edits = changesOf(count, Math.min(changes, count / 10), edition).map(
      ({ path, content }): MapEdit => ({
        key: Buffer.from(path),
        entry: content && putFile(tx, path, content),
      }),
    );
    roots.push(await edit(tx, tx, roots[0].digest, edits));
  }
  await publish(tx, roots);
}

async function publish(tx: Transaction, roots: readonly MapRoot[]): Promise<void> {
  const name = parseArtifactName('d');
  await tx.publish(async (locked) => {
    let artifact = newArtifact({ name, type: parseTypeName('dataset') });
    for (const { digest, count, bytes } of roots) {
      const commit = encodeCommit({
        tree: digest,
        parents: [],
        message: '',
        author: 'bench',
        time: 0,
        metadata: {},
        run: null,
        files: count,
        bytes,
        ext: {},
      });
      const commitDigest = hash(commit);
      locked.putNode(commitDigest, commit);
      artifact = (await addVersion(locked, artifact, { commit: commitDigest, bytes })).artifact;
    }
    const saved = saveArtifact(locked, artifact);
    locked.setRecord(recordKeys.artifact(name), encodeRef(saved.saved!));
    locked.setRecord(recordKeys.folded(name), encodeName(name));
  });
}

function putFile(tx: Transaction, path: string, content: Buffer): MapEntry {
  const digest: Digest = hash(content);
  tx.put(CHUNK, digest, content);
  return {
    key: Buffer.from(path),
    kind: FILE,
    executable: false,
    size: content.length,
    digest,
    extra: EMPTY,
  };
}

/** The same two versions as commits of Git, by its own importer. */
function writeGit(folder: string, count: number): boolean {
  const lines: string[] = [];
  const file = (path: string, content: Buffer) =>
    lines.push(`M 100644 inline ${path}\ndata ${content.length}\n${content.toString()}`);
  const commit = (branch: string, from: string) =>
    lines.push(`commit refs/heads/${branch}\ncommitter b <b@b> 0 +0000\ndata 0\n${from}`);
  commit('v0', '');
  for (let i = 0; i < count; i++) file(pathOf(i), contentOf(i, 0));
  commit('v1', 'from refs/heads/v0');
  for (const { path, content } of changesOf(count, Math.min(1000, count / 10), 1)) {
    if (content === undefined) lines.push(`D ${path}`);
    else file(path, content);
  }
  const run = (args: readonly string[], input?: string) =>
    spawnSync('git', args, { cwd: folder, stdio: ['pipe', 'ignore', 'ignore'], ...(input && { input }) })
      .status === 0;
  return run(['init', '-q']) && run(['fast-import', '--quiet'], `${lines.join('\n')}\n`);
}
