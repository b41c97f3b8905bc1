/** Tells history from content: what a repository has that was told of versions without their bytes. */
import { NODE, decodeCommit, isDigest, nodeKindOf, visitStrongLinks } from '#object';
import type { LinkVisitor } from '#object';

/** Visits the strong links of a node as far as they are history: all but those from commits to their trees. */
export function visitHistoryLinks(bytes: Uint8Array, visit: LinkVisitor): void {
  if (nodeKindOf(bytes) !== 'commit') return visitStrongLinks(bytes, visit);
  const { metadata } = decodeCommit(bytes);
  if (isDigest(metadata)) visit(NODE, metadata);
}
