import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** How the other end ended its direction. */
export type Ending = 'end' | 'reset';

/** All that came before the ending. */
export interface Rest {
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly ending: Ending;
}

interface Appetite {
  left: number;
  readonly eat: (chunk: Buffer) => void;
  readonly done: (ending: Ending | undefined) => void;
}

/** A client or a server at the end of a real socket. It reads only when asked to, so it stalls whoever sends to it. */
export class Peer {
  /** Settles when the socket is gone: `reset` when the other end sent RST. */
  readonly closed: Promise<Ending>;
  readonly #socket: Socket;
  readonly #carrier: Socket;
  #appetite: Appetite | undefined;
  #ending: Ending | undefined;

  /** @param carrier the TCP socket below a TLS one: a reset is sent there. */
  constructor(socket: Socket, carrier: Socket = socket) {
    this.#socket = socket;
    this.#carrier = carrier;
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on('readable', () => this.#feed());
    socket.on('end', () => this.#finish('end'));
    socket.on('error', () => this.#finish('reset'));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#finish('end');
        resolve(this.#ending ?? 'end');
      });
    });
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Resolves when the kernel has it all; rejects when the connection breaks. */
  send(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Sends FIN after everything sent; with `bytes`, after those, in one go. */
  end(bytes?: Uint8Array | string): void {
    if (bytes === undefined) this.#socket.end();
    else this.#socket.end(bytes);
  }

  /** Sends RST. */
  reset(): void {
    const { writableEnded, writableLength, writableFinished } = this.#socket;
    // Node cannot reset while FIN is on its way.
    if (writableEnded && writableLength === 0 && !writableFinished) {
      this.#socket.once('finish', () => this.#carrier.resetAndDestroy());
    } else this.#carrier.resetAndDestroy();
  }

  /** Closes without asking: FIN, or RST where bytes wait to be read. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The next `count` bytes. Rejects when the other end ends before. */
  async take(count: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const ending = await this.#eat(count, (chunk) => chunks.push(chunk));
    if (ending !== undefined) throw new Error(`expected ${count} more bytes, got ${ending}`);
    return Buffer.concat(chunks);
  }

  /** Reads to the end. */
  async rest(): Promise<Rest> {
    const hash = createHash('sha256');
    let bytes = 0;
    const ending = await this.#eat(Infinity, (chunk) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    return { bytes, hash: hash.digest('hex'), ending: ending ?? 'end' };
  }

  #eat(count: number, eat: (chunk: Buffer) => void): Promise<Ending | undefined> {
    if (this.#appetite !== undefined) throw new TypeError('a peer reads one thing at a time');
    return new Promise((resolve) => {
      this.#appetite = { left: count, eat, done: resolve };
      this.#feed();
      if (this.#ending !== undefined) this.#finish(this.#ending);
    });
  }

  #feed(): void {
    while (this.#appetite !== undefined) {
      const chunk: unknown = this.#socket.read();
      if (!Buffer.isBuffer(chunk)) return;
      const bite = this.#appetite;
      const part = chunk.subarray(0, Math.min(chunk.length, bite.left));
      if (part.length < chunk.length) this.#socket.unshift(chunk.subarray(part.length));
      bite.left -= part.length;
      bite.eat(part);
      if (bite.left > 0) continue;
      this.#appetite = undefined;
      bite.done(undefined);
    }
  }

  #finish(ending: Ending): void {
    this.#ending ??= ending;
    // An RST after the end was read is the later and stronger news.
    if (ending === 'reset') this.#ending = 'reset';
    const hungry = this.#appetite;
    this.#appetite = undefined;
    hungry?.done(this.#ending);
  }
}

/** Connects to loopback. */
export function connectPeer(port: number, host = '127.0.0.1'): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new Peer(socket));
    });
  });
}
