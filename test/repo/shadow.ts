/** Is what artifacts, drafts and their history should be after any operations, kept in plain maps. */

/** Lengths by path: no two contents of a test have one length. */
export type Files = Readonly<Record<string, number>>;

/** What is said of one version. */
export interface ShadowVersion {
  /** Which commit it is: a number for each that was ever made. */
  commit: number;
  /** Its files, as `textOfFiles` writes them. */
  content: string;
  tags: string[];
  metadata: Record<string, unknown>;
  description: string;
}

export interface ShadowArtifact {
  /** Stays through all renames; a name that is given again is another artifact. */
  identity?: number | undefined;
  type: string;
  description: string;
  tags: string[];
  aliases: Record<string, number>;
  versions: Record<number, ShadowVersion>;
  next: number;
}

/** A version that is put together part by part. */
export interface ShadowDraft {
  files: Files;
  /** The commit it was begun on. */
  onto: number | null;
  became: number | null;
}

interface ShadowChange {
  readonly nameBefore: string;
  readonly nameAfter: string;
  readonly before: ShadowArtifact | undefined;
  readonly after: ShadowArtifact;
}

export interface ShadowOperation {
  readonly id: number;
  readonly user: string;
  readonly run: string | null;
  readonly changes: readonly ShadowChange[];
  readonly undoes: number | null;
}

/** An operation that must fail, and how. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** One fact a row, so that three-way is a matter of comparing texts. */
type Facts = Map<string, string>;

export class Shadow {
  artifacts = new Map<string, ShadowArtifact>();
  /** By `name/id`. */
  drafts = new Map<string, ShadowDraft>();
  readonly log: ShadowOperation[] = [];

  #made = 0;
  #commits = 0;

  create(name: string): ShadowArtifact {
    this.takeName(name);
    const artifact = { type: 'dataset', description: '', tags: [], aliases: {}, versions: {}, next: 0 };
    this.artifacts.set(name, { identity: ++this.#made, ...artifact });
    return this.artifacts.get(name)!;
  }

  names(): string[] {
    return [...this.artifacts.keys()].filter((name) => !isEmpty(this.artifacts.get(name)!)).sort();
  }

  live(name: string): ShadowArtifact {
    const found = this.artifacts.get(name);
    if (found === undefined || isEmpty(found)) throw new Refused('ARTIFACT_NOT_FOUND');
    return found;
  }

  /** The files of these lengths as a new version, or as the newest one if that has them already. */
  put(name: string, files: Files): { readonly version: ShadowVersion; readonly number: number } {
    const artifact = this.artifacts.get(name) ?? this.create(name);
    const latest = newest(artifact);
    const content = textOfFiles(files);
    if (latest === undefined) Object.assign(artifact, { description: '', tags: [] });
    const isNew = latest === undefined || artifact.versions[latest].content !== content;
    const number = isNew ? artifact.next++ : latest;
    if (isNew)
      artifact.versions[number] = {
        commit: ++this.#commits,
        content,
        tags: [],
        metadata: {},
        description: '',
      };
    return { version: artifact.versions[number], number };
  }

  version(name: string, number: number): ShadowVersion {
    const found = this.live(name).versions[number];
    if (found === undefined) throw new Refused('VERSION_NOT_FOUND');
    return found;
  }

  /** Does one operation, whole or not at all; logs it if anything changed. */
  operate(by: { user: string; run: string | null }, work: () => void, undoes: number | null = null): void {
    const before = structuredClone(this.artifacts);
    const drafts = structuredClone(this.drafts);
    try {
      work();
    } catch (error) {
      this.artifacts = before;
      this.drafts = drafts;
      throw error;
    }
    const changes: ShadowChange[] = [];
    for (const [nameAfter, after] of this.artifacts) {
      const [nameBefore, was] = [...before].find(([, { identity }]) => identity === after.identity) ?? [
        nameAfter,
      ];
      const same = nameBefore === nameAfter && text(was) === text(after);
      if (!same) changes.push({ nameBefore, nameAfter, before: was, after: structuredClone(after) });
    }
    if (changes.length > 0) this.log.push({ id: this.log.length + 1, ...by, changes, undoes });
  }

  takeName(name: string): void {
    const twin = [...this.artifacts.keys()].find(
      (other) => other !== name && other.toLowerCase() === name.toLowerCase(),
    );
    if (twin !== undefined) throw new Refused('NAME_TAKEN');
  }

  rename(from: string, to: string): void {
    if (this.artifacts.has(to)) throw new Refused('NAME_TAKEN');
    this.takeName(to);
    this.artifacts.set(to, this.artifacts.get(from)!);
    this.artifacts.delete(from);
    for (const [key, draft] of [...this.drafts]) {
      if (!key.startsWith(`${from}/`)) continue;
      const moved = to + key.slice(from.length);
      if (this.drafts.has(moved)) throw new Refused('NAME_TAKEN');
      this.drafts.set(moved, draft);
      this.drafts.delete(key);
    }
  }

  isUndone(id: number): boolean {
    return this.log.some((later) => later.undoes === id && !this.isUndone(later.id));
  }

  /** What `art undo` without a number means for this user. */
  newestOwn(user: string): number {
    /** What others did, or took back: the earliest that is something else since. */
    let touched = Infinity;
    let others = false;
    for (const operation of [...this.log].reverse()) {
      if (this.isUndone(operation.id)) continue;
      if (operation.user !== user || operation.run !== null) {
        if (operation.undoes === null) others = true;
        else touched = Math.min(touched, operation.undoes);
      } else if (operation.undoes === null) {
        if (others || touched < operation.id) throw new Refused('UNDO_UNCLEAR');
        return operation.id;
      }
    }
    throw new Refused('OPERATION_NOT_FOUND');
  }

  undo(by: { user: string; run: string | null }, id: number | undefined): void {
    const chosen = id ?? this.newestOwn(by.user);
    const operation = this.log.find((one) => one.id === chosen);
    if (operation === undefined) throw new Refused('OPERATION_NOT_FOUND');
    if (this.isUndone(chosen)) throw new Refused('UNDO_REFUSED');
    const take = () => {
      let changed = false;
      for (const change of operation.changes) if (this.#takeBack(change)) changed = true;
      if (!changed) throw new Refused('UNDO_REFUSED');
    };
    this.operate(by, take, chosen);
  }

  #takeBack({ nameBefore, nameAfter, before, after }: ShadowChange): boolean {
    const [name, now] = [...this.artifacts].find(([, { identity }]) => identity === after.identity)!;
    const result = { ...inverse(before, after, now), identity: after.identity };
    this.artifacts.set(name, result);
    const renames = nameBefore !== nameAfter && name !== nameBefore;
    if (renames && name !== nameAfter) throw new Refused('UNDO_REFUSED');
    if (renames) this.rename(name, nameBefore);
    return renames || text(result) !== text(now);
  }
}

/** The number of the newest version. */
export function newest({ versions }: ShadowArtifact): number | undefined {
  const numbers = Object.keys(versions).map(Number);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

export function textOfFiles(files: Files): string {
  return Object.entries(files)
    .map(([path, length]) => `${path} ${length}`)
    .sort()
    .join(', ');
}

export function filesOf(content: string): Files {
  const rows = content === '' ? [] : content.split(', ').map((row) => row.split(' '));
  return Object.fromEntries(rows.map(([path, length]) => [path, Number(length)]));
}

/** `start` without what is removed and with what is added, as a commit from parts makes it. */
export function laid(
  start: Files,
  parts: { readonly remove: readonly string[]; readonly add: Files; readonly overwrite: boolean },
): Files {
  const files = { ...start };
  for (const path of parts.remove) {
    if (files[path] === undefined) throw new Refused('ENTRY_NOT_FOUND');
    delete files[path];
  }
  for (const [path, length] of Object.entries(parts.add)) {
    if (files[path] !== undefined && files[path] !== length && !parts.overwrite)
      throw new Refused('PATH_TAKEN');
    files[path] = length;
  }
  return files;
}

function inverse(
  before: ShadowArtifact | undefined,
  after: ShadowArtifact,
  now: ShadowArtifact,
): ShadowArtifact {
  const was =
    before === undefined
      ? new Map([
          ['type', after.type],
          ['description', ''],
        ])
      : factsOf(before);
  const became = factsOf(after);
  const facts = factsOf(now);
  const numbers = new Set(
    [...was.keys(), ...became.keys()].flatMap((key) => /^v(\d+)$/.exec(key)?.[1] ?? []).map(Number),
  );
  const settled = new Set<number>();
  for (const number of numbers) {
    const [inWas, inBecame, inNow] = [was, became, facts].map((all) => all.has(`v${number}`));
    if (inWas === inBecame) continue;
    settled.add(number);
    // Made by it: goes, if nobody changed it. Deleted by it: comes back as it was.
    if (!inWas && inNow) {
      if (text(about(number, facts)) !== text(about(number, became))) throw new Refused('UNDO_REFUSED');
      for (const [key] of about(number, facts)) facts.delete(key);
    }
    if (inWas && !inNow) for (const [key, value] of about(number, was)) facts.set(key, value);
  }
  for (const key of new Set([...was.keys(), ...became.keys()])) {
    const number = Number(/^v(\d+)/.exec(key)?.[1] ?? NaN);
    const [old, made, current] = [was.get(key), became.get(key), facts.get(key)];
    if (settled.has(number) || old === made) continue;
    if (!Number.isNaN(number) && !facts.has(`v${number}`)) throw new Refused('UNDO_REFUSED');
    if (current === old) continue;
    if (current !== made) throw new Refused('UNDO_REFUSED');
    if (old === undefined) facts.delete(key);
    else facts.set(key, old);
  }
  for (const [key, number] of facts)
    if (key.startsWith('alias ') && !facts.has(`v${number}`)) throw new Refused('UNDO_REFUSED');
  return artifactOf(facts, now.next);
}

function about(number: number, facts: Facts): [string, string][] {
  return [...facts].filter(([key]) => key === `v${number}` || key.startsWith(`v${number} `)).sort();
}

function factsOf(artifact: ShadowArtifact): Facts {
  const facts: Facts = new Map([
    ['type', artifact.type],
    ['description', artifact.description],
  ]);
  for (const tag of artifact.tags) facts.set(`tag ${tag}`, '');
  for (const [alias, number] of Object.entries(artifact.aliases)) facts.set(`alias ${alias}`, String(number));
  for (const [number, { commit, content, tags, metadata, description }] of Object.entries(
    artifact.versions,
  )) {
    facts.set(`v${number}`, `${commit}: ${content}`);
    facts.set(`v${number} metadata`, JSON.stringify(metadata));
    facts.set(`v${number} description`, description);
    for (const tag of tags) facts.set(`v${number} tag ${tag}`, '');
  }
  return facts;
}

function artifactOf(facts: Facts, next: number): ShadowArtifact {
  const beginning = (start: string) =>
    [...facts].flatMap(([key, value]) =>
      key.startsWith(start) ? [[key.slice(start.length), value] as const] : [],
    );
  const versions: Record<number, ShadowVersion> = {};
  for (const [key, content] of facts) {
    const number = /^v(\d+)$/.exec(key)?.[1];
    if (number === undefined) continue;
    const [commit, ...files] = content.split(': ');
    versions[Number(number)] = {
      commit: Number(commit),
      content: files.join(': '),
      tags: beginning(`v${number} tag `)
        .map(([tag]) => tag)
        .sort(),
      metadata: JSON.parse(facts.get(`v${number} metadata`)!) as Record<string, unknown>,
      description: facts.get(`v${number} description`)!,
    };
  }
  return {
    type: facts.get('type')!,
    description: facts.get('description')!,
    tags: beginning('tag ')
      .map(([tag]) => tag)
      .sort(),
    aliases: Object.fromEntries(
      beginning('alias ')
        .map(([alias, number]) => [alias, Number(number)])
        .sort(),
    ),
    versions,
    next,
  };
}

function isEmpty({ versions }: ShadowArtifact): boolean {
  return Object.keys(versions).length === 0;
}

/** Equal values give equal texts, whatever the order of their keys. */
export function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
