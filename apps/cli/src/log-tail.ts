import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const BLOCK_BYTES = 65_536;
const NEWLINE = 10;

/** A log that is read as it grows. It outlives the file: rotation moves one away and makes another with the same path. */
export class LogTail {
  readonly #path: string;
  readonly #write: (text: string) => unknown;
  #decoder = new TextDecoder();
  #descriptor: number | undefined;
  #position = 0;

  /** @param write takes the text, as far as it is there; not always whole lines. */
  constructor(path: string, write: (text: string) => unknown) {
    this.#path = path;
    this.#write = write;
  }

  /**
   * Begins with the last lines of what is there.
   * @returns whether there is a file.
   * @throws what the system says, when there is one that cannot be read.
   */
  begin(lines: number): boolean {
    if (!this.#open()) return false;
    this.#position = startOfLines(this.#descriptor ?? 0, lines);
    this.#readOn();
    return true;
  }

  /** Goes on with what was added since, in the file that has the path now. */
  look(): void {
    this.#readOn();
    if (!this.#isReplaced()) return;
    // The gateway writes to the former file until it is told to open the new one.
    this.close();
    if (this.#open()) this.#readOn();
  }

  /** Idempotent. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): boolean {
    try {
      this.#descriptor = openSync(this.#path, 'r');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
    this.#position = 0;
    this.#decoder = new TextDecoder();
    return true;
  }

  #isReplaced(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now === undefined) return false;
    if (this.#descriptor === undefined) return true;
    const { ino, dev } = fstatSync(this.#descriptor);
    return now.ino !== ino || now.dev !== dev;
  }

  #readOn(): void {
    if (this.#descriptor === undefined) return;
    // A file that got shorter was emptied in place.
    if (fstatSync(this.#descriptor).size < this.#position) this.#position = 0;
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    for (;;) {
      const bytes = readSync(this.#descriptor, block, 0, BLOCK_BYTES, this.#position);
      if (bytes === 0) return;
      this.#position += bytes;
      this.#write(this.#decoder.decode(block.subarray(0, bytes), { stream: true }));
    }
  }
}

/** Where the last lines of a file begin, found from its end: it may be large. */
function startOfLines(descriptor: number, lines: number): number {
  const { size } = fstatSync(descriptor);
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let left = lines;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const bytes = readSync(descriptor, block, 0, end - start, start);
    for (let index = bytes - 1; index >= 0; index--) {
      // The one at the very end ends the last line.
      if (block[index] !== NEWLINE || start + index === size - 1) continue;
      left -= 1;
      if (left === 0) return start + index + 1;
    }
    end = start;
  }
  return lines === 0 ? size : 0;
}
