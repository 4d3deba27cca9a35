/** A batch goes out when it is this long, in characters, or this old, in milliseconds. */
const LONGEST = 16_384;
const OLDEST_MS = 200;

/**
 * Collects lines and hands them on many at a time: a session only appends to a text. `flush` is for the end; without
 * sessions there is no timer.
 */
export class LineBatch {
  readonly #write: (lines: string) => void;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= LONGEST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), OLDEST_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#write(lines);
  }
}
