/**
 * zstd as WebAssembly, for a Node without its own: in memory that is used again, where the package's own functions take
 * some anew for each frame, which costs more than the work itself.
 */
import { createRequire } from 'node:module';
import { assert } from '#base';
import type { Zstd } from './compression.ts';

const PACKAGE = '@bokuweb/zstd-wasm';

/** What the package's own functions call. A place is a number of bytes from the start of HEAPU8. */
interface ZstdModule {
  /** Another one each time that memory grows. */
  readonly HEAPU8: Uint8Array;
  readonly _malloc: (bytes: number) => number;
  readonly _free: (place: number) => void;
  readonly _ZSTD_isError: (result: number) => number;
  readonly _ZSTD_compressBound: (bytes: number) => number;
  readonly _ZSTD_createCCtx: () => number;
  readonly _ZSTD_createDCtx: () => number;
  /** (context, to, its length, from, its length, dictionary, its length, level) */
  readonly _ZSTD_compress_usingDict: (...args: number[]) => number;
  /** (context, to, its length, from, its length, dictionary, its length) */
  readonly _ZSTD_decompress_usingDict: (...args: number[]) => number;
}

/** Of no length, at no place: what the functions do is what those without one do. */
const NO_DICTIONARY = [0, 0] as const;

let loading: Promise<ZstdModule> | undefined;

/** Loads it once, also for many who ask at the same time: a second `init` takes the memory from under the first. */
function loadModule(): Promise<ZstdModule> {
  return (loading ??= initModule().catch((error: unknown) => {
    loading = undefined;
    throw error;
  }));
}

async function initModule(): Promise<ZstdModule> {
  const require = createRequire(import.meta.url);
  const { init } = require(PACKAGE) as typeof import('@bokuweb/zstd-wasm');
  await init();
  const inner = createRequire(require.resolve(PACKAGE));
  return (inner('./module') as { readonly Module: ZstdModule }).Module;
}

/** Frames are at most a few MiB. */
export async function wasmZstd(level: number): Promise<Zstd> {
  const zstd = await loadModule();
  const room = roomOf(zstd);
  const compressing = zstd._ZSTD_createCCtx();
  const decompressing = zstd._ZSTD_createDCtx();
  /** Lays `bytes` down, with room for `most` behind them: to, its length, from, its length, dictionary, its length. */
  const laid = (bytes: Uint8Array, most: number) => {
    const from = room(bytes.length + most);
    zstd.HEAPU8.set(bytes, from);
    return [from + bytes.length, most, from, bytes.length, ...NO_DICTIONARY] as const;
  };
  return {
    compress(bytes) {
      const args = laid(bytes, zstd._ZSTD_compressBound(bytes.length));
      const length = zstd._ZSTD_compress_usingDict(compressing, ...args, level);
      assert(!zstd._ZSTD_isError(length), 'there is room for whatever zstd makes');
      return zstd.HEAPU8.subarray(args[0], args[0] + length);
    },
    decompress(bytes, into) {
      const args = laid(bytes, into.length);
      const length = zstd._ZSTD_decompress_usingDict(decompressing, ...args);
      if (zstd._ZSTD_isError(length)) throw new Error('zstd refuses it, or it is longer');
      into.set(zstd.HEAPU8.subarray(args[0], args[0] + length));
      return length;
    },
  };
}

/** Gives the place of so many bytes in the module's memory, the same each time. */
function roomOf(zstd: ZstdModule): (bytes: number) => number {
  let place = 0;
  let length = 0;
  return (bytes) => {
    if (bytes <= length) return place;
    zstd._free(place);
    length = 0;
    place = zstd._malloc(bytes);
    if (place === 0) throw new Error(`no memory for ${bytes} bytes`);
    length = bytes;
    return place;
  };
}
