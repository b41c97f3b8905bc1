/** The one door for users: a repository, and everything that can be done with it. */
import { resolve } from 'node:path';
import { realPath } from '#base';
import { FillingStore, LevelStore } from '#store';
import { parseArtifactName, unbind } from '#version';
import { putAliases, removeAliases } from './aliases.ts';
import type { AliasResult } from './aliases.ts';
import { fsck, gc } from './care.ts';
import type { FsckRequest, FsckResult, GcRequest, GcResult } from './care.ts';
import { checkout, download, verify } from './checkout.ts';
import type { VerifyResult } from './checkout.ts';
import type { CheckoutRequest, CheckoutResult } from './checkout-request.ts';
import { commit } from './commit.ts';
import type { CommitRequest, CommitResult } from './commit-request.ts';
import type { RepositoryContext, Setting } from './context.ts';
import { deleteVersions } from './delete.ts';
import type { DeleteRequest, DeleteResult } from './delete.ts';
import { describe } from './describe.ts';
import type { DescribeResult } from './describe.ts';
import { openDiff } from './diff.ts';
import type { Comparison, DiffRequest } from './diff.ts';
import { du } from './du.ts';
import type { DuResult } from './du.ts';
import { cat, ls } from './entries.ts';
import type { LsRow } from './entries.ts';
import { getArtifact } from './find.ts';
import { findRepository } from './layout.ts';
import { list, log, show } from './look.ts';
import type { ListRow, LogRow, ShownArtifact, ShownVersion } from './look.ts';
import { standings, unpushedNumbers, wasSeen } from './remote-standing.ts';
import type { RemoteStanding } from './remote-standing.ts';
import { Promises } from './promises.ts';
import type { PromiseKeeper } from './promises.ts';
import { addRemote, getRemote, listRemotes } from './remotes.ts';
import type { NewRemote, RemoteEntry } from './remotes.ts';
import { removeRemote } from './remove-remote.ts';
import { changeMetadata, metadataHistory, readMetadata } from './metadata.ts';
import type { ChangedMetadata, MetadataChange, MetadataRevision } from './metadata.ts';
import { operationRows } from './operations.ts';
import type { OperationRow } from './operations.ts';
import { rename } from './rename.ts';
import type { RenameRequest, RenameResult } from './rename.ts';
import { bindingOf, status } from './status.ts';
import type { StatusResult } from './status.ts';
import { tag } from './tags.ts';
import type { TagRequest, TagResult } from './tags.ts';
import { undo } from './undo.ts';
import type { UndoRequest, UndoResult } from './undo.ts';
import { Vocabulary } from './vocabulary.ts';
import { readWanted, readWantedText, writePins, writeWantedText } from './wanted-files.ts';

/**
 * Opens the repository that `setting.folder` lies in; `keeper` brings what remotes have promised. Raises
 * REPOSITORY_NOT_FOUND, REPOSITORY_TOO_NEW.
 */
export async function openRepository(setting: Setting, keeper?: PromiseKeeper): Promise<Repository> {
  // Every path of this repository begins with the one name that its folder has.
  const folder = realPath(resolve(setting.folder));
  const layout = findRepository(folder);
  const { waitMsMax } = setting;
  const disk = new LevelStore(layout.art, waitMsMax === undefined ? {} : { waitMsMax });
  const promises = new Promises({ ...layout, ...setting, folder, store: disk }, keeper);
  const store = new FillingStore(disk, (ids) => promises.bring(ids));
  return new Repository({ ...layout, ...setting, folder, store, disk, promises });
}

export class Repository implements AsyncDisposable {
  /** What operations of the rooms above work on. */
  readonly context: RepositoryContext;

  constructor(context: RepositoryContext) {
    this.context = context;
  }

  /** The work tree's root. */
  get root(): string {
    return this.context.root;
  }

  commit(request: CommitRequest): Promise<CommitResult[]> {
    return commit(this.context, request);
  }

  status(names: readonly string[] = []): Promise<StatusResult[]> {
    return status(this.context, names);
  }

  checkout(request: CheckoutRequest): Promise<CheckoutResult[]> {
    return checkout(this.context, request);
  }

  download(request: Parameters<typeof download>[1]): Promise<CheckoutResult> {
    return download(this.context, request);
  }

  verify(spec: string, dir?: string): Promise<VerifyResult> {
    return verify(this.context, spec, dir);
  }

  /** Takes a binding out of `art.toml` and `art.lock`; no file of the folder is touched. Raises BINDING_NOT_FOUND. */
  async unbind(name: string): Promise<{ readonly name: string; readonly path: string }> {
    const { root } = this.context;
    const { path } = bindingOf(readWanted(root).bindings, name);
    const artifact = parseArtifactName(name);
    const text = unbind(readWantedText(root), artifact);
    writePins(root, new Map([[artifact, undefined]])); // First: it reads the file, in which something may be wrong.
    writeWantedText(root, text);
    return { name, path };
  }

  /** The remotes there are, by name. */
  remotes(): RemoteEntry[] {
    return listRemotes(this.context);
  }

  /** Without a name `origin`, else the only one. Raises REMOTE_NOT_FOUND, REMOTE_UNSAID. */
  remote(name?: string): RemoteEntry {
    return getRemote(this.context, name);
  }

  addRemote(remote: NewRemote): RemoteEntry {
    return addRemote(this.context, this.context.folder, remote);
  }

  removeRemote(name: string): Promise<RemoteEntry> {
    return removeRemote(this.context, name);
  }

  /** Whether a bucket was ever seen at the remote: one that is gone is not to be made anew. */
  wasSeen(remote: string): Promise<boolean> {
    return wasSeen(this.context, remote);
  }

  /** How all artifacts, or one, stand against each remote they were seen at, as it was last seen. */
  standings(name?: string): AsyncGenerator<RemoteStanding, void, undefined> {
    return standings(this.context, name === undefined ? undefined : parseArtifactName(name));
  }

  /** Numbers of versions that no remote is known to have. Raises ARTIFACT_NOT_FOUND. */
  async unpushed(name: string): Promise<ReadonlySet<number>> {
    const artifact = await getArtifact(this.context.store, parseArtifactName(name));
    return unpushedNumbers(this.context, artifact);
  }

  list(filter: Parameters<typeof list>[1] = {}): Promise<ListRow[]> {
    return list(this.context, filter);
  }

  log(name?: string): AsyncGenerator<LogRow, void, undefined> {
    return log(this.context, name);
  }

  show(target: string): Promise<ShownArtifact | ShownVersion> {
    return show(this.context, target);
  }

  ls(spec: string, prefix?: string): AsyncGenerator<readonly LsRow[], void, undefined> {
    return ls(this.context, spec, prefix);
  }

  cat(
    spec: string,
    path: string,
    range: Parameters<typeof cat>[3] = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    return cat(this.context, spec, path, range);
  }

  /** The words that name things here, for completion. */
  get vocabulary(): Vocabulary {
    return new Vocabulary(this.context);
  }

  /** Two versions, or a version and the folder that holds its artifact; dispose of it at the end. */
  diff(request: DiffRequest): Promise<Comparison> {
    return openDiff(this.context, request);
  }

  /** What each version takes, alone and shared with any other; of one artifact, or of all. */
  du(name?: string): Promise<DuResult> {
    return du(this.context, name);
  }

  alias(spec: string, aliases: readonly string[]): Promise<AliasResult> {
    return putAliases(this.context, spec, aliases);
  }

  removeAliases(targets: readonly string[]): Promise<AliasResult[]> {
    return removeAliases(this.context, targets);
  }

  tag(request: TagRequest): Promise<TagResult> {
    return tag(this.context, request);
  }

  /** The metadata of a version, changed first if there is anything to set or unset. */
  meta(spec: string, change: MetadataChange = {}): Promise<ChangedMetadata> {
    const changes = Object.keys(change.set ?? {}).length + (change.unset ?? []).length > 0;
    return changes ? changeMetadata(this.context, spec, change) : readMetadata(this.context, spec);
  }

  metaHistory(spec: string): AsyncGenerator<MetadataRevision, void, undefined> {
    return metadataHistory(this.context, spec);
  }

  describe(target: string, text: string): Promise<DescribeResult> {
    return describe(this.context, target, text);
  }

  rename(request: RenameRequest): Promise<RenameResult> {
    return rename(this.context, request);
  }

  delete(request: DeleteRequest): Promise<DeleteResult> {
    return deleteVersions(this.context, request);
  }

  undo(request: UndoRequest = {}): Promise<UndoResult> {
    return undo(this.context, request);
  }

  /** The operation log, newest first. */
  ops(): AsyncGenerator<OperationRow, void, undefined> {
    return operationRows(this.context.store);
  }

  gc(request: GcRequest = {}): Promise<GcResult> {
    return gc(this.context, request);
  }

  fsck(request: FsckRequest = {}): Promise<FsckResult> {
    return fsck(this.context, request);
  }

  /** Lets go of the database: call before output that may block. */
  rest(): Promise<void> {
    return this.context.store.rest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.promises[Symbol.asyncDispose]();
    await this.context.store[Symbol.asyncDispose]();
  }
}
