/** Where the client reads and writes, and from where relative paths count. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal now, or `undefined` where there is none: then no line is ever redrawn. */
  readonly columns: (() => number) | undefined;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input. */
  readonly input: () => AsyncIterable<Buffer>;
  /**
   * Asks on the terminal, without showing what is typed.
   * @throws UsageError when there is no terminal
   * @throws Stopped when the user has had enough
   */
  readonly ask: (question: string) => Promise<string>;
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal;
}
