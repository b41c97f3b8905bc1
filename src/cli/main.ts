#!/usr/bin/env node
/** Starts art: tells an old Node so, answers --version at once, and loads the rest for all else. */
// Nothing is imported here, so that an old Node gets as far as the line that tells it so.

const NODE_MIN = [20, 19];

main();

function main(): void {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    process.stderr.write(
      `error: art needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}\n`,
    );
    process.exitCode = 1;
    return;
  }
  // Answered at once: nothing else needs to be loaded for it.
  if (process.argv[2] === '--version' && process.argv.length === 3) void printVersion();
  else void runProgram();
}

async function printVersion(): Promise<void> {
  const { artVersion } = await import('./version.ts');
  process.stdout.write(`art ${artVersion()}\n`);
}

async function runProgram(): Promise<void> {
  const { openProgram } = await import('./program-file.ts');
  let opened;
  try {
    opened = openProgram(import.meta.dirname, process.argv[2]);
  } catch (error) {
    // Node would show the line that it could not read: all of the program.
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`error: art is not installed whole: ${why} [FAILED]\nhint: Install it again.\n`);
    process.exitCode = 1;
    return;
  }
  if (!opened.isKept) process.once('exit', opened.keep);
  await opened.program.runProcess();
}
