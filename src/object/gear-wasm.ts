/** Finds candidate cuts with the WASM code of gear.wat, which is embedded here. */
import { assert } from '#base';
import { gearTable, SCAN_BYTES_MAX } from './gear.ts';
import type { CandidateScanner } from './gear.ts';

/** gear.wat, compiled by wabt. A test compiles it again and compares. */
export const GEAR_WASM_BASE64 =
  'AGFzbQEAAAABEwNgA39/fwBgAX8Bf2ADf39/AX8CDwEDYXJ0Bm1lbW9yeQIAEQMFBAABAgIHCAEEc2NhbgADCu4KBC0BAX8gACgC' +
  'ACEDIAMgAUGAoMAAa0EBdCACQYCAAUlyNgIAIAAgA0EEajYCAAsxAQJ/IABBIGshAQNAIAJBAXQgAS0AAEECdCgCAGohAiABQQFq' +
  'IQEgASAASQ0ACyACCx0BAX8gAigCACABayEDIAAgASAD/AoAACAAIANqC+0JAQl/IABBgKDAAGohBSAFIAFqIQpBgAhBgCA2AgAg' +
  'AUEYbkEIbCEIIAhBwABPBEAgBSAIaiEGIAYgCGohByAGEAEhAyAHEAEhBEGECEGAICAIQQRsajYCAEGICEGAICAIQQhsajYCACAG' +
  'IQkDQCACQQF0IAUtAABBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEBaiACEAALIANBAXQgBi0AAEECdCgCAGohAyADQYCAEEkEQEGE' +
  'CCAGQQFqIAMQAAsgBEEBdCAHLQAAQQJ0KAIAaiEEIARBgIAQSQRAQYgIIAdBAWogBBAACyACQQF0IAUtAAFBAnQoAgBqIQIgAkGA' +
  'gBBJBEBBgAggBUECaiACEAALIANBAXQgBi0AAUECdCgCAGohAyADQYCAEEkEQEGECCAGQQJqIAMQAAsgBEEBdCAHLQABQQJ0KAIA' +
  'aiEEIARBgIAQSQRAQYgIIAdBAmogBBAACyACQQF0IAUtAAJBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEDaiACEAALIANBAXQgBi0A' +
  'AkECdCgCAGohAyADQYCAEEkEQEGECCAGQQNqIAMQAAsgBEEBdCAHLQACQQJ0KAIAaiEEIARBgIAQSQRAQYgIIAdBA2ogBBAACyAC' +
  'QQF0IAUtAANBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEEaiACEAALIANBAXQgBi0AA0ECdCgCAGohAyADQYCAEEkEQEGECCAGQQRq' +
  'IAMQAAsgBEEBdCAHLQADQQJ0KAIAaiEEIARBgIAQSQRAQYgIIAdBBGogBBAACyACQQF0IAUtAARBAnQoAgBqIQIgAkGAgBBJBEBB' +
  'gAggBUEFaiACEAALIANBAXQgBi0ABEECdCgCAGohAyADQYCAEEkEQEGECCAGQQVqIAMQAAsgBEEBdCAHLQAEQQJ0KAIAaiEEIARB' +
  'gIAQSQRAQYgIIAdBBWogBBAACyACQQF0IAUtAAVBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEGaiACEAALIANBAXQgBi0ABUECdCgC' +
  'AGohAyADQYCAEEkEQEGECCAGQQZqIAMQAAsgBEEBdCAHLQAFQQJ0KAIAaiEEIARBgIAQSQRAQYgIIAdBBmogBBAACyACQQF0IAUt' +
  'AAZBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEHaiACEAALIANBAXQgBi0ABkECdCgCAGohAyADQYCAEEkEQEGECCAGQQdqIAMQAAsg' +
  'BEEBdCAHLQAGQQJ0KAIAaiEEIARBgIAQSQRAQYgIIAdBB2ogBBAACyACQQF0IAUtAAdBAnQoAgBqIQIgAkGAgBBJBEBBgAggBUEI' +
  'aiACEAALIANBAXQgBi0AB0ECdCgCAGohAyADQYCAEEkEQEGECCAGQQhqIAMQAAsgBEEBdCAHLQAHQQJ0KAIAaiEEIARBgIAQSQRA' +
  'QYgIIAdBCGogBBAACyAFQQhqIQUgBkEIaiEGIAdBCGohByAFIAlJDQALQYAIKAIAQYAgIAhBBGxqQYQIEAIhCyALQYAgIAhBCGxq' +
  'QYgIEAIhC0GACCALNgIAIAchBSAEIQILAkADQCAFIApPDQEgAkEBdCAFLQAAQQJ0KAIAaiECIAVBAWohBSACQYCAEEkEQEGACCAF' +
  'IAIQAAsMAAsLQYwIIAI2AgBBgAgoAgBBgCBrQQJ2Cw==';

// Addresses that gear.wat states.
const HASH_AT = 1036;
const CANDIDATES_AT = 4096;
const BUFFER_AT = CANDIDATES_AT + 4 * SCAN_BYTES_MAX;
const PAGE_BYTES = 64 * 1024;

type Scan = (position: number, length: number, hash: number) => number;

/** The part of WebAssembly used here; the types of Node 20 do not have it. */
interface WasmApi {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

let compiled: object | undefined;

/** A scanner that runs in WASM and owns `bufferBytes` of its memory, or undefined where WASM cannot run. */
export function wasmScanner(bufferBytes: number): CandidateScanner | undefined {
  const pages = Math.ceil((BUFFER_AT + bufferBytes) / PAGE_BYTES);
  const wasm = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly;
  if (wasm === undefined) return undefined; // node --jitless
  let memory: InstanceType<WasmApi['Memory']>;
  let scan: Scan;
  try {
    memory = new wasm.Memory({ initial: pages, maximum: pages });
    compiled ??= new wasm.Module(Buffer.from(GEAR_WASM_BASE64, 'base64'));
    scan = new wasm.Instance(compiled, { art: { memory } }).exports['scan'] as Scan;
  } catch {
    return undefined; // No address space for its memory (ulimit -v): the plain scanner will do.
  }
  new Int32Array(memory.buffer, 0, 256).set(gearTable());
  const hashAfter = new Int32Array(memory.buffer, HASH_AT, 1);
  let state = 0;
  return {
    kind: 'wasm',
    buffer: new Uint8Array(memory.buffer, BUFFER_AT, bufferBytes),
    candidates: new Uint32Array(memory.buffer, CANDIDATES_AT, SCAN_BYTES_MAX),
    scan(position, length) {
      assert(position >= 0 && length <= SCAN_BYTES_MAX && position + length <= bufferBytes);
      const count = scan(position, length, state);
      state = hashAfter[0];
      return count;
    },
    restart() {
      state = 0;
    },
  };
}
