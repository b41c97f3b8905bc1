/** Holds an artifact: its state as a value, loaded by digest and saved as the next link of the chain of its states. */
import { decodeState, encodeState, hash } from '#object';
import type { ArtifactState, Digest } from '#object';
import type { NodeSink, NodeSource } from '#store';
import type { Alias, ArtifactName, TypeName } from './names.ts';

/** An artifact as one reader sees it, or one writer would have it. */
export interface Artifact {
  /** The digest of the state this was loaded from or saved as; null before the first save. */
  readonly saved: Digest | null;
  /** What saving makes durable; its `previous` is set by saving. */
  readonly state: ArtifactState;
}

/** In the `ext` of a state: the name that whoever gave up this one has given its versions. */
export const RENAMED_TO = 'art.renamedTo';

/** An artifact without versions, saved nowhere yet. */
export function newArtifact({
  name,
  type,
}: {
  readonly name: ArtifactName;
  readonly type: TypeName;
}): Artifact {
  const state: ArtifactState = {
    name,
    type,
    description: '',
    tags: [],
    versions: null,
    aliases: new Map(),
    next: 0,
    tombstones: null,
    previous: null,
    versionCount: 0,
    tombstoneCount: 0,
    bytes: 0,
    ext: {},
  };
  return { saved: null, state };
}

/** Loads the state named `digest`; raises OBJECT_INVALID if it is none. */
export async function loadArtifact(source: NodeSource, digest: Digest): Promise<Artifact> {
  const [bytes] = await source.getNodes([digest]);
  return { saved: digest, state: decodeState(bytes) };
}

/** Puts the state, with the one it came from as `previous`. All edits since then are one link of the chain. */
export function saveArtifact(sink: NodeSink, artifact: Artifact): Artifact & { readonly saved: Digest } {
  const state = { ...artifact.state, previous: artifact.saved };
  const bytes = encodeState(state);
  const digest = hash(bytes);
  sink.putNode(digest, bytes);
  return { saved: digest, state };
}

/**
 * Whether nothing lives in it: it is gone for everybody who looks, but keeps its name, so that no number of its versions
 * is ever used again and an undo can bring them back.
 */
export function isDeleted({ state }: Artifact): boolean {
  return state.versionCount === 0;
}

/** The aliases of every version that has any, each list sorted; `latest` is not among them. */
export function aliasesByNumber({ state }: Artifact): ReadonlyMap<number, readonly Alias[]> {
  const byNumber = new Map<number, Alias[]>();
  for (const [alias, number] of state.aliases) {
    const aliases = byNumber.get(number);
    if (aliases) aliases.push(alias as Alias);
    else byNumber.set(number, [alias as Alias]);
  }
  for (const aliases of byNumber.values()) aliases.sort();
  return byNumber;
}
