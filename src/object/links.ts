/** Finds what an object keeps alive: its strong links. */
import { nodeKindOf } from './cbor.ts';
import { decodeCommit } from './commit.ts';
import { decodeFileNode, fileRowDigest } from './file-node.ts';
import { CHUNK, contentKind, NODE } from './id.ts';
import type { Digest, ObjectId, ObjectKind } from './id.ts';
import { decodeMetadata, isDigest } from './metadata.ts';
import { decodeRun } from './run.ts';
import { decodeState } from './state.ts';
import { FILE, RUN, VERSION } from './tree-entry.ts';
import { decodeTreeNode } from './tree-node.ts';
import type { TreeLeaf } from './tree-node.ts';
import { versionLinks } from './version-value.ts';

export type LinkVisitor = (kind: ObjectKind, digest: Digest) => void;

/**
 * Calls `visit` for each strong link of a node, in the order they stand, twice if it stands twice. Digests are
 * views of a copy: visitors keep them longer than a reader keeps `bytes`. A commit's parents and run, a run's inputs and outputs, a state's previous and the commits of
 * tombstones are weak and left out. Raises OBJECT_INVALID if the node is.
 */
export function visitStrongLinks(bytes: Uint8Array, visit: LinkVisitor): void {
  switch (nodeKindOf(bytes)) {
    case 'fileLeaf':
    case 'fileInner': {
      const node = decodeFileNode(new Uint8Array(bytes));
      const kind = node.level === 0 ? CHUNK : NODE;
      for (let row = 0; row < node.rows; row++) visit(kind, fileRowDigest(node, row));
      return;
    }
    case 'treeLeaf':
    case 'treeInner': {
      const node = decodeTreeNode(new Uint8Array(bytes));
      for (let row = 0; row < node.rows; row++) {
        if (node.kind === 'inner') visit(NODE, node.digestAt(row));
        else visitEntry(node, row, visit);
      }
      return;
    }
    case 'commit': {
      const { tree, metadata } = decodeCommit(bytes);
      visit(NODE, tree);
      if (isDigest(metadata)) visit(NODE, metadata);
      return;
    }
    case 'state': {
      const { versions, tombstones } = decodeState(bytes);
      if (versions !== null) visit(NODE, versions);
      if (tombstones !== null) visit(NODE, tombstones);
      return;
    }
    case 'run': {
      const { config } = decodeRun(bytes);
      if (isDigest(config)) visit(NODE, config);
      return;
    }
    case 'metadata':
      decodeMetadata(bytes);
  }
}

/** The strong links of a node, as `visitStrongLinks` visits them. */
export function strongLinks(bytes: Uint8Array): ObjectId[] {
  const links: ObjectId[] = [];
  visitStrongLinks(bytes, (kind, digest) => links.push({ kind, digest }));
  return links;
}

function visitEntry(leaf: TreeLeaf, row: number, visit: LinkVisitor): void {
  switch (leaf.kindAt(row)) {
    case FILE:
      visit(contentKind(leaf.sizeAt(row)), leaf.digestAt(row));
      return;
    case VERSION: {
      visit(NODE, leaf.digestAt(row));
      const { spilled, metadata } = versionLinks(leaf.extraAt(row));
      if (spilled) visit(NODE, spilled);
      if (metadata) visit(NODE, metadata);
      return;
    }
    case RUN:
      visit(NODE, leaf.digestAt(row));
  }
}
