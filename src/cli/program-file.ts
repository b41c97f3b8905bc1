/**
 * Loads the bundled program together with the bytecode that V8 made of it before, beside it in a file for each version of
 * V8 and each kind of command: to parse and compile it anew takes 45 ms, which is half of what a short command takes.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { equalBytes, nonce } from '#base';
import { DIGEST_BYTES, contentHasher } from '#object';
import type * as program from './program.ts';

export type Program = typeof program;

export interface OpenProgram {
  readonly program: Program;
  /** Whether bytecode was found, even if V8 would not have it: it depends on the flags that Node was given. */
  readonly isKept: boolean;
  /** Keeps the bytecode of all that has run so far, where that can be written. */
  readonly keep: () => void;
}

/** Commands that only look into the store, or change a record: they start faster with bytecode of no more than that. */
const BRIEF = ['log', 'list', 'show', 'ls', 'cat', 'alias', 'tag', 'describe', 'ops'];

/**
 * `folder` holds `program.cjs`: one expression, in ASCII, for the function that Node makes of a CommonJS file. `command` is
 * what will be run, if that is known.
 */
export function openProgram(folder: string, command: string | undefined): OpenProgram {
  const path = join(folder, 'program.cjs');
  const bytes = readFileSync(path);
  const { platform, arch, versions } = process;
  const keptPath = join(folder, `program.${versions.v8}-${platform}-${arch}.${kindOf(command)}.code`);
  const kept = readKept(keptPath, bytes);
  const script = new Script(bytes.toString('latin1'), {
    filename: path,
    ...(kept && { cachedData: kept }),
  });
  const module = { exports: {} };
  const load = script.runInThisContext() as (...names: readonly unknown[]) => void;
  load(module.exports, createRequire(path), module, path, dirname(path));
  const program = module.exports as Program;
  const keep = () => {
    program.letYoungHeapGrow();
    writeKept(keptPath, bytes, () => script.createCachedData());
  };
  return { program, isKept: kept !== undefined, keep };
}

// `status` alone also reads the work tree and changes nothing.
function kindOf(command: string | undefined): string {
  if (command === 'status') return 'status';
  return command !== undefined && BRIEF.includes(command) ? 'brief' : 'whole';
}

/** V8 itself looks at neither the program's text nor the bytecode's: what was torn or is of another build is passed over. */
function readKept(path: string, program: Uint8Array): Buffer | undefined {
  let kept: Buffer;
  try {
    kept = readFileSync(path);
  } catch {
    return undefined;
  }
  const code = kept.subarray(DIGEST_BYTES);
  return equalBytes(digestOf(program, code), kept.subarray(0, DIGEST_BYTES)) ? code : undefined;
}

function writeKept(path: string, program: Uint8Array, codeOf: () => Uint8Array): void {
  const writing = `${path}.${nonce(6)}`;
  let fd: number;
  try {
    fd = openSync(writing, 'wx');
  } catch {
    return; // Installed by another user: it starts as fast as it can.
  }
  try {
    const code = codeOf();
    writeFileSync(fd, Buffer.concat([digestOf(program, code), code]));
    renameSync(writing, path);
  } catch {
    rmSync(writing, { force: true }); // The disk is full.
  } finally {
    closeSync(fd);
  }
}

// With the hash that most commands load anyway: node:crypto takes 5 ms to load.
function digestOf(program: Uint8Array, code: Uint8Array): Uint8Array {
  const hasher = contentHasher();
  hasher.update(program);
  hasher.update(code);
  return hasher.digest();
}
