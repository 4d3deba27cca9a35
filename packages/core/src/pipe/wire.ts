/**
 * What a wire tells its one user. Any number of `onData`, then at most one `onEnd`; `onWritten` at any time; then
 * exactly one `onClosed`, after which nothing comes. None is called from inside a method of the wire it is about.
 */
export interface WireHandler {
  /**
   * Bytes arrived.
   * @param view valid during the call only; if the wire is paused when the call returns, until the next `resume`.
   * So: whoever gives the view to a `write` that answers false pauses here, and resumes on that write's `onWritten`.
   */
  onData(view: Uint8Array): void;
  /** The peer sent FIN: nothing more will arrive; the other direction stays open. */
  onEnd(): void;
  /** The write that answered false has been handed to the kernel completely; its memory may be reused. */
  onWritten(): void;
  /**
   * The connection is gone and its descriptor released.
   * @param error why, unless it went as asked (both ends sent FIN, or `close` or `reset` was called here).
   */
  onClosed(error: WireError | undefined): void;
}

/** How a connection broke. `reset` is an RST from the peer; `failed` is any other error of the system. */
export interface WireError {
  readonly kind: 'reset' | 'failed';
  /** The system's name for it: `ECONNRESET`, `ETIMEDOUT`. */
  readonly errno: string;
}

/**
 * The smallest socket a relay needs. A wire starts paused and delivers nothing until `resume`. No stream, no promise
 * and no event emitter stand behind a chunk. One write may be outstanding: after `write` answered false, the next one
 * waits for `onWritten`. When both ends have sent FIN the wire closes by itself. While it is paused it need not notice
 * that its peer is gone.
 */
export interface Wire {
  /** Set before the first `resume`, and replaced only by the code that set it. */
  handler: WireHandler;

  /**
   * The peer's address as the system prints it (`192.0.2.1`, `2001:db8::1`); an IPv4 peer of an IPv6 listener is shown
   * as IPv4. The four address fields are asked of the system on first use and kept; empty, or 0, if that is too late.
   */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The concrete local address of this connection, never the wildcard. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes delivered by `onData` so far. */
  readonly bytesRead: number;
  /** Bytes accepted by `write` so far. */
  readonly bytesWritten: number;

  /** Let `onData` and `onEnd` come. Idempotent. */
  resume(): void;
  /** Let none come until `resume`, from this call on. Idempotent. */
  pause(): void;
  /**
   * Sends `view` after everything written before. On a wire that is closed or broken nothing is sent.
   * @returns true when the memory may be reused, because the kernel has it all; false when `onWritten` will say so,
   * or `onClosed` that it came to nothing. An error is told by `onClosed`, never thrown.
   */
  write(view: Uint8Array): boolean;
  /**
   * Lets the system ask a peer that has been silent for this long, whole seconds ≥ 1, whether it is still there. One that does not answer
   * ten times, a second apart, is gone: `onClosed` says so.
   */
  keepAlive(idleSeconds: number): void;
  /** Sends FIN after everything written. Nothing may be written later. Idempotent. */
  end(): void;
  /** Closes at once with RST where the transport has one; what was not yet sent is lost. Idempotent. */
  reset(): void;
  /** Closes at once; what the kernel accepted is still delivered, an outstanding write is cut short. Idempotent. */
  close(): void;
}
