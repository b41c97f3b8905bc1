/** Checks how results reach standard output, and what they wait for. */
import { describe, expect, test } from 'vitest';
import { nextTurn } from '#base';
import { Output } from '../../src/cli/output.ts';
import { ProgressLine, progressText } from '../../src/cli/progress.ts';
import { memorySink } from './host.ts';

interface OpenOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly isTTY?: boolean;
  readonly color?: boolean;
  /** A write is done once this is. */
  readonly reader?: Promise<void>;
}

function open(options: OpenOptions = {}) {
  const stdout = memorySink(options);
  const stderr = memorySink(options);
  const stopping = new AbortController();
  const { json = false, quiet = false, color = true, reader } = options;
  const slowly = {
    ...stdout,
    write: async (data: string | Uint8Array) => reader?.then(() => stdout.write(data)),
  };
  const sinks = { stdout: reader === undefined ? stdout : slowly, stderr };
  return {
    stdout,
    stderr,
    stopping,
    out: new Output({ ...sinks, json, quiet, color, signal: stopping.signal }),
  };
}

const BIG = 'x'.repeat(3 * 1024 * 1024);

describe('output', () => {
  test('an alert is written at once, a warning with the result', async () => {
    const { out, stderr } = open();
    out.warn('later');
    out.alert('now');
    await nextTurn();
    expect(stderr.text()).toBe('warning: now\n');
    await out.end();
    expect(stderr.text()).toBe('warning: now\nwarning: later\n');
  });

  test.each([[[]], [[[]]], [[[1], [], ['a', null]]]])(
    'the batches %j are one JSON array',
    async (batches) => {
      const { out, stdout } = open({ json: true });
      await out.array(batches);
      await out.end();
      expect(JSON.parse(stdout.text())).toEqual(batches.flat());
    },
  );

  test('what others may want is let go of while a write waits for its reader, and only then', async () => {
    for (const slow of [true, false]) {
      let read = () => {};
      const reader = slow ? new Promise<void>((resolve) => (read = resolve)) : Promise.resolve();
      const { out, stdout } = open({ reader });
      let released = 0;
      out.whenBlocked = async () => {
        released++;
        read();
      };
      await out.line('small');
      expect(stdout.text()).toBe('');
      await out.line(BIG);
      expect(released).toBe(slow ? 1 : 0);
      expect(stdout.text()).toBe(`small\n${BIG}\n`);
      expect(out.begun).toBe(true);
    }
  });

  test('bytes are kept though the caller uses their memory again', async () => {
    const { out, stdout } = open();
    const piece = Buffer.from('one');
    await out.bytes(piece);
    piece.fill('x');
    await out.end();
    expect(stdout.text()).toBe('one');
  });

  test('long output stops soon after it is interrupted', async () => {
    const { out, stopping } = open();
    stopping.abort();
    expect(() => out.line(BIG)).toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
  });

  test('what was done goes unsaid with -q and in JSON, warnings never do', async () => {
    for (const options of [{ quiet: true }, { json: true }]) {
      const { out, stdout, stderr } = open(options);
      out.say('done');
      out.note('by the way');
      out.warn('look\nout');
      await out.end();
      expect(stdout.text()).toBe('');
      expect(stderr.text()).toBe('warning: look\\nout\n');
    }
  });

  test('colour appears on terminals that want it only', () => {
    expect(open({ isTTY: true }).out.style('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(open({ isTTY: true, color: false }).out.style('red', 'x')).toBe('x');
    expect(open().out.style('red', 'x')).toBe('x');
  });
});

describe('progress', () => {
  test('says what is done, how fast, and what is left if that is known', () => {
    const mebibyte = 1024 * 1024;
    expect(progressText({ files: 1234, bytes: 20 * mebibyte }, 2000)).toBe(
      '1,234 files  20.0 MiB  10.0 MiB/s',
    );
    expect(progressText({ files: 0, bytes: 20 * mebibyte }, 2000)).toBe('20.0 MiB  10.0 MiB/s');
    expect(progressText({ files: 5, bytes: 0, what: 'object' }, 2000)).toBe('5 objects');
    const totals = { totalFiles: 40, totalBytes: 50 * mebibyte };
    expect(progressText({ files: 10, bytes: 20 * mebibyte, ...totals }, 2000)).toBe(
      '10 of 40 files  20.0 MiB of 50.0 MiB  10.0 MiB/s  3.0 s left',
    );
  });

  test('appears after a second, on a terminal, and is gone before a result, and at the end', async () => {
    let nowMs = 0;
    const terminal = memorySink({ isTTY: true });
    const line = new ProgressLine(terminal, () => nowMs);
    line.show({ files: 1, bytes: 1 });
    line.clear();
    expect(terminal.text()).toBe('');
    nowMs = 1500;
    line.show({ files: 2, bytes: 2 });
    line.show({ files: 3, bytes: 3 });
    line.clear();
    expect(terminal.text()).toBe('\r\u001b[K2 files  2 B  1 B/s\r\u001b[K');
    const out = new Output({
      ...{ stdout: terminal, stderr: terminal, json: false, quiet: false, color: false },
      signal: new AbortController().signal,
      beforeWrite: () => line.clear(),
    });
    nowMs = 3000;
    line.show({ files: 5, bytes: 0 });
    void out.line('a result');
    await out.end();
    expect(terminal.text()).toMatch(/5 files\r\u001b\[Ka result\n$/);
    const pipe = memorySink();
    const silent = new ProgressLine(pipe, () => nowMs);
    nowMs = 9000;
    silent.show({ files: 1, bytes: 1 });
    silent.clear();
    expect(pipe.text()).toBe('');
  });
});
