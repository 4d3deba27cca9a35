import type { Wire, WireError, WireHandler } from '../pipe/wire.ts';

/** A wire without a system behind it: what a test says arrives, as soon as it may. */
export class HandWire implements Wire {
  handler: WireHandler = deaf;
  isPaused = true;
  bytesRead = 0;
  readonly bytesWritten = 0;
  readonly remoteAddress = '192.0.2.1';
  readonly remotePort = 1;
  readonly localAddress = '192.0.2.2';
  readonly localPort = 2;
  readonly #waiting: (Uint8Array | 'end')[] = [];

  /** The views are wiped after each call. */
  arrive(...pieces: readonly (Uint8Array | 'end')[]): void {
    this.#waiting.push(...pieces);
    this.#deliver();
  }

  break(error: WireError): void {
    this.handler.onClosed(error);
  }

  resume(): void {
    this.isPaused = false;
    this.#deliver();
  }

  pause(): void {
    this.isPaused = true;
  }

  write(): boolean {
    throw new Error('a peek writes nothing');
  }

  keepAlive(): void {
    throw new Error('a peek keeps nothing alive');
  }

  end(): void {
    throw new Error('a peek ends nothing');
  }

  reset(): void {
    throw new Error('a peek resets nothing');
  }

  close(): void {
    throw new Error('a peek closes nothing');
  }

  #deliver(): void {
    while (!this.isPaused) {
      const piece = this.#waiting.shift();
      if (piece === undefined) return;
      if (piece === 'end') {
        this.handler.onEnd();
        continue;
      }
      const view = Uint8Array.from(piece);
      this.bytesRead += view.length;
      this.handler.onData(view);
      view.fill(0xee);
    }
  }
}

const deaf: WireHandler = { onData() {}, onEnd() {}, onWritten() {}, onClosed() {} };
