/** Is where text and bytes go to: the terminal, a pipe, a file, or a test's memory. */

export interface Sink {
  readonly isTTY: boolean;
  /** How wide the terminal is, if it is one. */
  readonly columns?: number | undefined;
  /** Whether a write may wait for somebody: no for a file, yes for a terminal or a pipe. */
  readonly mayBlock: boolean;
  /** Resolves once the system has it; rejects with EPIPE once nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>;
}
