/** Collects what a command has to say and writes it: to people calmly, to programs as one JSON document. */
import { styleText } from 'node:util';
import { ArtError, fileError } from '#base';
import { isReaderGone } from './failure.ts';
import { PagedSink } from './paged-sink.ts';
import type { Pager } from './pager.ts';
import type { Sink } from './sink.ts';
import { printable } from './text.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether colour is wanted at all; it appears on terminals only. */
  readonly color: boolean;
  readonly signal: AbortSignal;
  /** Called before anything is written that may stand on the same screen as progress. */
  readonly beforeWrite?: () => void;
}

/** Written at once when so much is collected. */
const PAGE_BYTES = 1024 * 1024;
/** A write that takes longer waits for somebody. Opening the database again takes ms, so not every write lets go of it. */
const BLOCKED_MS = 50;

export class Output {
  readonly json: boolean;
  /** Whether what was done goes unsaid. */
  quiet: boolean;
  /** Called when a write waits for whoever reads: lets go of what others may want meanwhile. */
  whenBlocked: (() => Promise<void>) | undefined;
  readonly #options: OutputOptions;
  #page: (string | Uint8Array)[] = [];
  #pageBytes = 0;
  #aside: string[] = [];
  #alerts: Promise<void> = Promise.resolve();
  #begun = false;
  /** Whether nobody reads any more. */
  #unread = false;
  #paged: PagedSink | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.quiet = options.quiet;
  }

  /** Whether anything went to standard output, so that it cannot be taken back. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether people read the result as it comes. */
  get isTerminal(): boolean {
    return this.#options.stdout.isTTY;
  }

  /** Sends what follows through a pager, if `start` gives one; it is started when there is something to show. */
  page(start: () => Promise<Pager | undefined>): void {
    this.#paged = new PagedSink(start, this.#options.stdout);
  }

  /** Does what writes a result as far as somebody reads it: what a command ends with does not depend on that. */
  async whileRead(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      if (!isReaderGone(error)) throw error;
      this.#unread = true;
    }
  }

  /** A line of the result. Wait for what it gives, if it gives anything. */
  line(text: string): Promise<void> | undefined {
    return this.#add(`${text}\n`);
  }

  /** Bytes of the result, copied. Wait for what it gives, if it gives anything. */
  bytes(bytes: Uint8Array): Promise<void> | undefined {
    return this.#add(new Uint8Array(bytes));
  }

  /** A line that tells what was done: silent with -q and in JSON. */
  say(text: string): void {
    if (!this.quiet && !this.json) this.#collect(`${text}\n`);
  }

  /** A line for people that is no failure, on standard error. */
  warn(text: string): void {
    this.#aside.push(`${this.styleError('yellow', 'warning:')} ${printable(text)}\n`);
  }

  /** A warning that is written at once. */
  alert(text: string): void {
    const line = `${this.styleError('yellow', 'warning:')} ${printable(text)}\n`;
    // Should standard error be gone, there is nobody to tell; the work goes on.
    this.#alerts = this.#alerts.then(() => this.#options.stderr.write(line)).catch(() => {});
  }

  /** A remark beside the result, on standard error; silent with -q and in JSON. */
  note(text: string): void {
    if (!this.quiet && !this.json) this.#aside.push(`${this.styleError('dim', text)}\n`);
  }

  document(value: unknown): void {
    this.#collect(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One JSON array, written as its batches come. */
  async array(batches: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>): Promise<void> {
    let first = true;
    for await (const batch of batches) {
      for (const row of batch) {
        const wait = this.#add(`${first ? '[\n' : ',\n'}${JSON.stringify(row)}`);
        if (wait !== undefined) await wait;
        first = false;
      }
    }
    await this.#add(first ? '[]\n' : '\n]\n');
  }

  /** `text` in a style, if standard output is a terminal that wants it. */
  style(style: Style, text: string): string {
    return this.#styled(this.#options.stdout, style, text);
  }

  styleError(style: Style, text: string): string {
    return this.#styled(this.#options.stderr, style, text);
  }

  #styled(sink: Sink, style: Style, text: string): string {
    if (!this.#options.color || !sink.isTTY) return text;
    return styleText(style, text, { validateStream: false });
  }

  /** Forgets what was not written yet. */
  discard(): void {
    this.#page = [];
    this.#pageBytes = 0;
  }

  /** Writes all that is left. */
  async end(): Promise<void> {
    await this.#alerts;
    await this.#flush();
    await this.#paged?.close();
    this.#paged = undefined;
    const aside = this.#aside.join('');
    this.#aside = [];
    if (aside !== '') await this.#options.stderr.write(aside);
  }

  #add(data: string | Uint8Array): Promise<void> | undefined {
    this.#collect(data);
    if (this.#pageBytes < PAGE_BYTES) return undefined;
    if (this.#options.signal.aborted) throw new ArtError('INTERRUPTED', 'stopped before all was written');
    return this.#flush();
  }

  #collect(data: string | Uint8Array): void {
    this.#page.push(data);
    this.#pageBytes += data.length;
  }

  async #flush(): Promise<void> {
    if (this.#pageBytes === 0) return;
    const page = this.#page;
    this.discard();
    if (this.#unread) return;
    this.#begun = true;
    this.#options.beforeWrite?.();
    // Whoever reads in a pager takes their time: nothing is held meanwhile.
    if (this.#paged !== undefined) await this.whenBlocked?.();
    const stdout = this.#paged ?? this.#options.stdout;
    const texts = page.every((part) => typeof part === 'string');
    const writing = stdout.write(texts ? page.join('') : Buffer.concat(page.map(asBytes)));
    if (stdout.mayBlock && this.whenBlocked !== undefined)
      await this.#releaseIfSlow(writing, this.whenBlocked);
    try {
      await writing;
    } catch (error) {
      throw isReaderGone(error) ? error : fileError(error, 'standard output');
    }
  }

  async #releaseIfSlow(writing: Promise<void>, release: () => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const slow = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, BLOCKED_MS, true)));
    try {
      const blocked = await Promise.race([slow, writing.then(() => false)]);
      if (blocked) await release();
    } finally {
      clearTimeout(timer);
    }
  }
}

function asBytes(part: string | Uint8Array): Uint8Array {
  return typeof part === 'string' ? Buffer.from(part) : part;
}
