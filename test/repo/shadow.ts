/** Is what artifacts and their history should be after any operations, kept in plain maps. */

/** What is said of one version. */
export interface ShadowVersion {
  content: number;
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
  readonly log: ShadowOperation[] = [];

  #made = 0;

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

  version(name: string, number: number): ShadowVersion {
    const found = this.live(name).versions[number];
    if (found === undefined) throw new Refused('VERSION_NOT_FOUND');
    return found;
  }

  /** Does one operation, whole or not at all; logs it if anything changed. */
  operate(by: { user: string; run: string | null }, work: () => void, undoes: number | null = null): void {
    const before = structuredClone(this.artifacts);
    try {
      work();
    } catch (error) {
      this.artifacts = before;
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
  }

  isUndone(id: number): boolean {
    return this.log.some((later) => later.undoes === id && !this.isUndone(later.id));
  }

  /** What `art undo` without a number means for this user. */
  newestOwn(user: string): number {
    let others = false;
    for (const operation of [...this.log].reverse()) {
      if (this.isUndone(operation.id)) continue;
      if (operation.user !== user || operation.run !== null) others = true;
      else if (operation.undoes === null) {
        if (others) throw new Refused('UNDO_UNCLEAR');
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
  for (const [number, { content, tags, metadata, description }] of Object.entries(artifact.versions)) {
    facts.set(`v${number}`, String(content));
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
    versions[Number(number)] = {
      content: Number(content),
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
