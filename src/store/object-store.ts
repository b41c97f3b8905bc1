/** States what every store of objects and records promises, whatever it is made of. */
import type { Digest, ObjectId, ObjectKind } from '#object';
import type { Cache } from './cache.ts';
import type { Codec } from './compression.ts';

/** The nodes that everything else hangs from, found by reading records; asked again whenever something was published. */
export type Roots = (source: RecordSource & NodeSource) => AsyncIterable<Digest>;

/** Reads objects; every one is checked against its name before it is handed out. */
export interface ObjectReader {
  /**
   * The bytes of `ids`, in the order asked (the same id may stand twice). Keep one call to at most ~1,000 ids and
   * ~8 MiB of content. The views stay valid until the next call on this reader.
   * What is read into `memory` stays as long as that does.
   * Raises OBJECT_NOT_FOUND at the first that is absent, OBJECT_CORRUPT at the first whose bytes are not its name's.
   */
  getMany(ids: readonly ObjectId[], memory?: ReadMemory): Promise<Uint8Array[]>;
}

/**
 * Gives memory of at least so many bytes to whoever keeps what is read longer than until the next call. What a store has
 * to decompress to give it, or does not keep in packs, is not read into it.
 */
export type ReadMemory = (bytes: number) => Buffer;

/** Reads objects as they are stored, for whoever hands them on like that. */
export interface StoredReader extends ObjectReader {
  /**
   * Cuts `ids` into what is best read in one go, each in one run, mostly in their order; reads no content. Keep one call to
   * ~10,000 ids. Raises OBJECT_NOT_FOUND.
   */
  runs(ids: readonly ObjectId[]): Promise<StoredRun[]>;
}

export interface StoredRun {
  /** A few MiB of content at most, and no more than 4,096. */
  readonly ids: readonly ObjectId[];
  /**
   * Whether they are the beginning of a frame, and what is asked for next may be the rest: asked for together with that they
   * may be a whole frame. At most the last run is.
   */
  readonly open: boolean;
  /** Reads as `getMany` does: the frame as it is stored if they are all there is in one, else the bytes of each. */
  read(memory: ReadMemory): Promise<Stored>;
}

export type Stored =
  | { readonly frame: StoredFrame; readonly contents?: never }
  | { readonly frame?: never; readonly contents: readonly Uint8Array[] };

/** Objects that are stored together, each verified. */
export interface StoredFrame {
  /** In their order in the frame, which they fill. */
  readonly ids: readonly ObjectId[];
  readonly lengths: readonly number[];
  readonly rawBytes: number;
  readonly codec: Codec;
  /** In the memory that it was to be read into. */
  readonly stored: Uint8Array;
}

/** A frame of chunks that came from elsewhere, and may be kept as it is stored. */
export interface ArrivedFrame extends StoredFrame {
  /** Copies of those of them that stand in LevelDB as well. */
  readonly inline: readonly Uint8Array[];
}

/** Reads nodes by digest; what trees need. Bytes are the caller's to keep. */
export interface NodeSource {
  getNodes(digests: readonly Digest[]): Promise<Uint8Array[]>;
}

/** Takes nodes, children before parents; what building a tree needs. */
export interface NodeSink {
  putNode(digest: Digest, bytes: Uint8Array): void;
}

/** Small named values beside the objects: refs, operations, held. Keys are ASCII; values at most 1 MiB. */
export interface RecordSource {
  getRecord(key: string): Promise<Uint8Array | undefined>;
  /** Records whose key begins with `prefix`, in key order, after `after` (exclusive), at most `limit`. */
  listRecords(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]>;
}

export interface RecordRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** How a long walk over objects is watched. */
export interface WalkWatch {
  /** Raises INTERRUPTED soon after it is aborted. */
  readonly signal?: AbortSignal;
  /** Told often. */
  readonly onProgress?: (done: { readonly objects: number }) => void;
}

export interface ObjectStore extends NodeSource, RecordSource, AsyncDisposable {
  readonly cache: Cache;
  /** Tells which of `ids` are absent, in the order asked. Never throws for absence. */
  missing(ids: readonly ObjectId[]): Promise<ObjectId[]>;
  reader(): StoredReader;
  /** Starts writing. Nothing put is visible to others before `publish`. */
  begin(): Promise<Transaction>;
  /** Changes when gc has removed something: what was looked up before may be gone. */
  epoch(): Promise<number>;
  /** Has those of `ids` brought here that are absent and were promised; absent where nothing can be. */
  readonly gather?: (ids: readonly ObjectId[]) => Promise<void>;
  /** Stored bytes of all that `nodes` keep alive and `kept` do not; a little too few at worst. */
  bytesOnlyBelow(nodes: readonly Digest[], kept: Roots, watched?: WalkWatch): Promise<number>;
  /** Lets go of the database. Call before anything that may block: output, a prompt, the network, a child process. */
  rest(): Promise<void>;
}

/** One writer's work: put objects, children before parents, then publish once. Disposing without publish drops it. */
export interface Transaction extends NodeSource, NodeSink, AsyncDisposable {
  /** The store's epoch when this transaction began, or began again after REUSED_GONE. */
  readonly epoch: number;
  /** Counts so far: objects that were new, their raw bytes, and the bytes they take on disk. */
  readonly stats: TransactionStats;
  /**
   * Call between pieces of work, at least every ~20 ms and every ~8 MiB: lets waiting processes at the database,
   * takes it back, and publishes full packs. Gives undefined, at no cost, when there is nothing to do.
   */
  breathe(): Promise<void> | undefined;
  /** Runs `work` with the database let go: for what has to wait for the network. Not while publishing. */
  aside<T>(work: () => Promise<T>): Promise<T>;
  /** Tells whether the object is in the store or in this transaction, and holds gc to it until the end. */
  has(kind: ObjectKind, digest: Digest): boolean;
  /** Takes an object; the bytes are copied or written before it returns. Gives false if it was there already. */
  put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): boolean;
  /**
   * Takes the chunks of a frame as it is stored, which were verified; its bytes are copied or written before it returns. Gives
   * false, and takes none of them, if some were there already, or the store does not keep frames like that.
   */
  putFrame(frame: ArrivedFrame): boolean;
  /** Says that an object is relied on without a look-up: valid only while the epoch is `epoch`. */
  rely(kind: ObjectKind, digest: Digest): void;
  /** Compresses what waits for company: `stats` is exact afterwards. */
  settle(): void;
  /**
   * Makes everything durable and visible in one step. `decide` runs with the store locked, sees the records as they
   * are now, may put more objects, and sets records; if it throws nothing is changed.
   * Raises REUSED_GONE if gc took something relied on: begin again with the same transaction, which has all that was put
   * into it and relies on nothing any more.
   */
  publish<T>(decide: (locked: LockedStore) => Promise<T>): Promise<T>;
}

export interface TransactionStats {
  readonly objects: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

/** The store as the one process sees it that holds its lock. */
export interface LockedStore extends NodeSource, NodeSink, RecordSource {
  put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): boolean;
  /** Sets a record, or removes it with `undefined`. */
  setRecord(key: string, value: Uint8Array | undefined): void;
}
