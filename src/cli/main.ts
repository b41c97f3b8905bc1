#!/usr/bin/env node
/** Wires the process to the command line: version check, signals, standard streams, exit status. */
// Nothing is imported here, so that an old Node gets as far as the line that tells it so.

const NODE_MIN = [20, 19];
const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const INTERRUPTED = 130;

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
  if (process.argv[2] === '--version') void printVersion();
  else void run();
}

async function printVersion(): Promise<void> {
  process.stdout.write(`art ${await version()}\n`);
}

async function run(): Promise<void> {
  const { runCli } = await import('./run.ts');
  const { processSink } = await import('./process-sink.ts');
  const stopping = new AbortController();
  for (const signal of STOP_SIGNALS) {
    // The second one does not wait for anything: what is half done is garbage at worst.
    process.on(signal, () => (stopping.signal.aborted ? process.exit(INTERRUPTED) : stopping.abort()));
  }
  const status = await runCli(process.argv.slice(2), {
    cwd: () => process.cwd(),
    env: process.env,
    stdout: processSink(process.stdout),
    stderr: processSink(process.stderr),
    signal: stopping.signal,
    now: Date.now,
  });
  // All is written: what still keeps the process (an idle thread, a signal handler) need not be waited for.
  process.exit(status);
}

async function version(): Promise<string> {
  const { readFileSync } = await import('node:fs');
  // Beside the bundle's folder, or two folders up from the source.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      return (JSON.parse(text) as { readonly version: string }).version;
    } catch {
      // Not there: the next one.
    }
  }
  return 'of unknown version';
}
