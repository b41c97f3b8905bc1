/** One small value of every kind of node, the same in every run. */
import {
  encodeCommit,
  encodeMetadata,
  encodeRun,
  encodeState,
  encodeVersionValue,
  FileNodeBuilder,
  hash,
} from '#object';
import type { ArtifactState, Commit, Digest, Metadata, Run, VersionValue } from '#object';

/** A digest that stands for nothing. */
export const digestOf = (text: string): Digest => hash(Buffer.from(text));

/** Bytes that look random and are the same everywhere: BLAKE3 of `seed` and a counter. */
export function noise(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  const input = new Uint32Array(2);
  for (let at = 0; at < length; at += 32) {
    input.set([seed, at / 32]);
    bytes.set(hash(new Uint8Array(input.buffer)).subarray(0, length - at), at);
  }
  return bytes;
}

/** The nodes of a file of `count` made-up chunks, in the order they are put; the last is the root. */
export function fileNodes(count: number, seed = ''): { digest: Digest; bytes: Uint8Array }[] {
  const nodes: { digest: Digest; bytes: Uint8Array }[] = [];
  const builder = new FileNodeBuilder((digest, bytes) => nodes.push({ digest, bytes }));
  for (let i = 0; i < count; i++) builder.add(digestOf(`${seed}chunk ${i}`), 262_144 - (i % 1000));
  builder.finish({ content: digestOf(`${seed}content`) });
  return nodes;
}

export const metadata: Metadata = {
  accuracy: 0.5,
  epochs: 12,
  labels: ['cat', 'dög'],
  nested: { a: null, b: true },
};
/** Takes more than may stand inline. */
export const largeMetadata: Metadata = { text: 'x'.repeat(5000) };

export const commit: Commit = {
  tree: digestOf('tree'),
  parents: [digestOf('parent')],
  message: 'fix two labels',
  author: 'Mia <mia@example.org>',
  time: 1_700_000_000_123,
  metadata,
  run: 'run-7',
  files: 3,
  bytes: 12_345,
  ext: { 'vendor.note': 'kept' },
};

export const state: ArtifactState = {
  name: 'cifar',
  type: 'dataset',
  description: 'Small *pictures*.',
  tags: ['images', 'public'],
  versions: digestOf('versions'),
  aliases: new Map([
    ['__proto__', 1],
    ['best', 4],
    ['prod', 3],
  ]),
  next: 5,
  tombstones: digestOf('tombstones'),
  previous: digestOf('previous'),
  versionCount: 4,
  tombstoneCount: 1,
  bytes: 99_999,
  ext: {},
};

export const run: Run = {
  id: 'run-7',
  revision: 1,
  name: 'quiet-sea',
  jobType: 'train',
  project: null,
  config: { rate: 0.001, layers: [64, 64] },
  command: ['python', 'train.py', '--rate', '0.001'],
  codeRevision: 'a3f2c1',
  host: 'laptop',
  start: 1_700_000_000_000,
  end: 1_700_000_060_000,
  state: 'finished',
  exit: 0,
  inputs: [{ artifact: 'cifar', commit: digestOf('input'), as: 'train' }],
  outputs: [{ artifact: 'model', commit: digestOf('output') }],
  ext: {},
};

export const versionValue: VersionValue = {
  commit: digestOf('commit'),
  tags: ['reviewed'],
  ttl: 86_400_000,
  producers: ['run-7', 'run-9'],
  description: 'the good one',
  metadata: { accuracy: 0.75 },
};

/** An encoding of every kind that is made here, by the name of its golden file. */
export const encodings: Readonly<Record<string, Uint8Array>> = {
  'file-leaf-root': fileNodes(5)[0].bytes,
  'file-leaf': fileNodes(200)[0].bytes,
  'file-inner-root': fileNodes(200).at(-1)!.bytes,
  commit: encodeCommit(commit),
  state: encodeState(state),
  run: encodeRun(run),
  metadata: encodeMetadata(metadata),
  'version-extra': encodeVersionValue(versionValue).extra,
};
