/** version: artifact, version, alias, tag: the movable names, and the files that say which are wanted. */
export {
  RENAMED_TO,
  aliasesByNumber,
  isDeleted,
  loadArtifact,
  newArtifact,
  saveArtifact,
} from './artifact.ts';
export type { Artifact } from './artifact.ts';
export { getConfig, listConfig, setConfig, unsetConfig } from './config.ts';
export {
  addProducer,
  addTags,
  addVersion,
  editArtifact,
  editVersion,
  removeAlias,
  removeTags,
  removeVersions,
  setAlias,
} from './edits.ts';
export type { ArtifactIo, NewVersion } from './edits.ts';
export { takeBack } from './inverse.ts';
export type { Change, TakenBack } from './inverse.ts';
export { LOCK_FILE, formatLock, parseLock } from './lock.ts';
export type { Pin } from './lock.ts';
export {
  LATEST,
  foldName,
  parseAlias,
  parseArtifactName,
  parseDraftId,
  parseRemoteName,
  parseTag,
  parseTypeName,
  sameButForCase,
} from './names.ts';
export type { Alias, ArtifactName, DraftId, Tag, TypeName } from './names.ts';
export {
  artifactOfKey,
  decodeHeld,
  decodeName,
  decodeNumber,
  decodeOperation,
  decodeRef,
  encodeHeld,
  encodeName,
  encodeNumber,
  encodeOperation,
  encodeRef,
  folderOfRef,
  folderRef,
  recordKeys,
} from './records.ts';
export type { Goal, Held, Operation, RefChange } from './records.ts';
export { artifactNotFound, getVersion, resolve } from './resolve.ts';
export { formatSpec, parseSpec, parseTarget } from './spec.ts';
export type { Selector, Target, VersionSpec } from './spec.ts';
export { decodeStoredDraft, encodeStoredDraft } from './stored-draft.ts';
export type { Origin, StoredDraft } from './stored-draft.ts';
export type { Tombstone, Version } from './version.ts';
export { findLatest, findTombstone, findVersion, findVersionOfCommit, listVersions } from './versions.ts';
export type { ListOptions } from './versions.ts';
export { WANTED_FILE, bind, boundPath, parseWanted, pathsOverlap, renameBinding, unbind } from './wanted.ts';
export type { Binding, Wanted } from './wanted.ts';
export { allFates, changedNumbers, fatesOf, withFates } from './changes.ts';
export type { Fate } from './changes.ts';
export {
  decodeBucketId,
  decodeConflicts,
  decodePushing,
  decodeSeen,
  encodeBucketId,
  encodeConflicts,
  encodePushing,
  encodeSeen,
  remoteKeys,
  remoteOfKey,
} from './remote-records.ts';
export type { OpenConflict, RemoteSeen } from './remote-records.ts';
export {
  INCOMPLETE_IDS_MAX,
  decodeIncomplete,
  decodePromise,
  decodeReliance,
  encodeIncomplete,
  encodePromise,
  encodeReliance,
  promiseKeys,
} from './promise-records.ts';
export type { Incomplete, PromiseRecord, Reliance } from './promise-records.ts';
