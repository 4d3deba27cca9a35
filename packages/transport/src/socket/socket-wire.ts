import type { Socket } from 'node:net';
import type { Wire, WireError, WireHandler } from '@apisix-ts/core';
import { unmapped } from '../unmapped.ts';
import { unsetHandler } from '../unset-handler.ts';
import { wireError } from '../wire-error.ts';

/** A connection on a `net.Socket` or `tls.TLSSocket`, through the public API only. */
export class SocketWire implements Wire {
  handler: WireHandler = unsetHandler;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #socket: Socket;
  /**
   * What carries the socket: itself, or the TCP socket below TLS. Closing is done here, and takes the TLS socket along: to
   * destroy that one first could free the session while OpenSSL is using it.
   */
  readonly #carrier: Socket;
  #isPaused = true;
  /** FIN came while paused: a paused socket with nothing to read emits its end all the same. */
  #isEndDue = false;
  #isClosed = false;
  #isEnded = false;
  #isOutstanding = false;
  /** Writes given to the socket, and those it called back for. */
  #writes = 0;
  #writesDone = 0;
  #error: WireError | undefined;
  readonly #onWriteDone: (error?: Error | null) => void;

  /**
   * @param socket paused from its first moment (`pauseOnConnect`, or `pause()` before it connects), and with
   * `allowHalfOpen`.
   * @param carrier the TCP socket below TLS: a reset is sent there.
   */
  constructor(socket: Socket, carrier: Socket = socket) {
    this.#socket = socket;
    this.#carrier = carrier;
    this.#onWriteDone = (error) => this.#writeDone(error);
    socket.on('data', this.#deliver);
    // A listener for data starts the flow unless it was paused by hand.
    socket.pause();
    socket.on('end', this.#peerEnded);
    socket.on('error', this.#socketFailed);
    socket.on('close', this.#socketClosed);
  }

  /** Gives up the socket, paused, to be wrapped in something else. The wire is dead from then on, and says nothing. */
  release(): Socket {
    this.#isClosed = true;
    const socket = this.#socket;
    socket.off('data', this.#deliver);
    socket.off('end', this.#peerEnded);
    socket.off('error', this.#socketFailed);
    socket.off('close', this.#socketClosed);
    return socket;
  }

  get remoteAddress(): string {
    return unmapped(this.#socket.remoteAddress ?? '');
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return unmapped(this.#socket.localAddress ?? '');
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  resume(): void {
    if (this.#isClosed || !this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
    if (this.#isEndDue) process.nextTick(this.#peerEnded);
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  write(view: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#isClosed || socket.destroyed) return false;
    if (this.#isEnded || this.#isOutstanding) {
      throw new TypeError('a wire takes no write after end, nor while another one is outstanding');
    }
    if (view.length === 0) return true;
    this.#writes += 1;
    this.bytesWritten += view.length;
    socket.write(view, this.#onWriteDone);
    // The socket counts a write out as soon as the kernel has all of it.
    if (socket.writableLength === 0) return true;
    this.#isOutstanding = true;
    return false;
  }

  keepAlive(idleSeconds: number): void {
    this.#carrier.setKeepAlive(true, idleSeconds * 1000);
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    this.#socket.end();
  }

  reset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.pause();
    const { writableLength, writableFinished } = this.#socket;
    const isShutting = this.#isEnded && writableLength === 0 && !writableFinished;
    // The system refuses a reset while FIN is on its way, and `resetAndDestroy` would leave the descriptor open then.
    if (isShutting) this.#socket.once('finish', () => this.#resetNow());
    else this.#resetNow();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#carrier === this.#socket || this.#isOutstanding) this.#carrier.destroy();
    else this.#closeWithNotice();
  }

  /** Without close_notify a TLS peer takes an orderly close for an attack. The system has it by the next turn, or never. */
  #closeWithNotice(): void {
    this.#socket.pause();
    if (!this.#isEnded) this.#socket.end();
    setImmediate(() => this.#carrier.destroy());
  }

  /** A unix socket has no RST: closing is all there is, and tells the peer of it only if bytes were left unread. */
  #resetNow(): void {
    if (this.#carrier.remoteFamily === undefined) this.#carrier.destroy();
    else this.#carrier.resetAndDestroy();
  }

  readonly #deliver = (chunk: Buffer): void => {
    this.bytesRead += chunk.length;
    this.handler.onData(chunk);
  };

  readonly #peerEnded = (): void => {
    this.#isEndDue = this.#isPaused;
    if (!this.#isPaused && !this.#isClosed) this.handler.onEnd();
  };

  /** A write that was done at once is called back for, too, a moment later. */
  #writeDone(error: Error | null | undefined): void {
    this.#writesDone += 1;
    if (!this.#isOutstanding || this.#writesDone !== this.#writes) return;
    this.#isOutstanding = false;
    if (this.#isClosed || (error !== undefined && error !== null)) return;
    this.handler.onWritten();
  }

  readonly #socketFailed = (error: NodeJS.ErrnoException): void => {
    if (!this.#isClosed) this.#error ??= wireError(error.code ?? error.name);
    // Node leaves the TCP connection open when its TLS session breaks.
    this.#carrier.destroy();
  };

  readonly #socketClosed = (): void => {
    this.#isClosed = true;
    this.handler.onClosed(this.#error);
  };
}
