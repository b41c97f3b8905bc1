/** Computes BLAKE3 digests, with the native library where it loads and its WASM twin where it does not. */
import { assert } from '#base';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Digest } from './id.ts';

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** Hashes one stream of bytes given in pieces, as the whole-file digest needs. */
export interface ContentHasher {
  update(bytes: Uint8Array): void;
  /** The digest of everything since the last `reset`; call `reset` before the next `update`. */
  digest(): Digest;
  reset(): void;
}

/** One implementation of BLAKE3-256 (specification: https://github.com/BLAKE3-team/BLAKE3-specs). */
export interface Blake3 {
  readonly name: 'native' | 'wasm';
  hash(bytes: Uint8Array): Digest;
  contentHasher(): ContentHasher;
}

interface NativeHasher {
  update(bytes: Uint8Array): unknown;
  digest(format: 'base64'): string;
  reset(): unknown;
}

interface NativeModule {
  readonly blake3UrlSafeBase64: (bytes: Uint8Array) => string;
  readonly Blake3Hasher: new () => NativeHasher;
}

interface WasmHasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
  dispose(): void;
}

interface WasmModule {
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  readonly createHash: () => WasmHasher;
}

const PACKAGE = '@napi-rs/blake-hash';

// Both packages are CommonJS and stay outside any bundle.
const require = createRequire(import.meta.url);

let chosen: Blake3 | undefined;

/** The BLAKE3 digest of `bytes`, which may be a view of WASM memory. Loads an implementation at its first call. */
export function hash(bytes: Uint8Array): Digest {
  return (chosen ??= choose()).hash(bytes);
}

/** A hasher for a stream of bytes; it may be used again after `reset`. */
export function contentHasher(): ContentHasher {
  return (chosen ??= choose()).contentHasher();
}

/** Which implementation `hash` uses here. */
export function hashImplementation(): 'native' | 'wasm' {
  return (chosen ??= choose()).name;
}

/** The native implementation, or undefined where it is not installed or does not load. */
export function loadNativeHash(): Blake3 | undefined {
  const native = nativeModule();
  if (native === undefined) return undefined;
  return {
    name: 'native',
    hash: (bytes) => digestOfBase64(native.blake3UrlSafeBase64(bytes)),
    contentHasher() {
      const hasher = new native.Blake3Hasher();
      return {
        update: (bytes) => void hasher.update(bytes),
        digest: () => digestOfBase64(hasher.digest('base64')),
        reset: () => void hasher.reset(),
      };
    },
  };
}

// What the package loads in the end on most systems is looked for where packages lie: the package itself looks elsewhere
// first, which takes 2 ms of every start, and to ask Node for it by its name alone takes another.
function nativeModule(): NativeModule | undefined {
  const system = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;
  const file = `${PACKAGE}-${system}/blake.${system}.node`;
  const folder = require.resolve.paths(PACKAGE)?.find((folder) => existsSync(join(folder, file)));
  for (const name of [...(folder === undefined ? [] : [join(folder, file)]), PACKAGE]) {
    try {
      return require(name) as NativeModule;
    } catch {
      // An optional dependency: absent on some systems, and the WASM one gives the same digests.
    }
  }
  return undefined;
}

/** The WASM implementation, which is always there. */
export function loadWasmHash(): Blake3 {
  const wasm = require('blake3') as WasmModule;
  return {
    name: 'wasm',
    hash: (bytes) => ownDigest(wasm.hash(bytes)),
    contentHasher() {
      let hasher: WasmHasher | undefined = wasm.createHash();
      return {
        update(bytes) {
          assert(hasher, 'reset a hasher before using it again');
          hasher.update(bytes);
        },
        digest() {
          assert(hasher, 'reset a hasher before using it again');
          const digest = ownDigest(hasher.digest()); // Also frees its WASM memory.
          hasher = undefined;
          return digest;
        },
        reset() {
          hasher?.dispose();
          hasher = wasm.createHash();
        },
      };
    },
  };
}

function choose(): Blake3 {
  return loadNativeHash() ?? loadWasmHash();
}

// A Buffer from native code costs 1 to 2 us to make and more to free, which is most of a small file's hash; a string
// costs a tenth of that. Both base64 alphabets are read alike.
const scratch = Buffer.alloc(DIGEST_BYTES + 1);
function digestOfBase64(text: string): Digest {
  assert(scratch.write(text, 'base64') === DIGEST_BYTES);
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i] = scratch[i];
  return digest;
}

function ownDigest(bytes: Uint8Array): Digest {
  assert(bytes.length === DIGEST_BYTES);
  return Uint8Array.from(bytes);
}
