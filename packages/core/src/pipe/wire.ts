/**
 * What a wire tells its one user. The calls come in this order: any number of `onData` and `onWritten`, at most one
 * `onEnd`, then exactly one `onClosed`, after which nothing comes.
 */
export interface WireHandler {
  /**
   * Bytes arrived.
   * @param view valid during the call only, unless it was given to a `write` that answered false: those bytes stay
   * untouched until that write's `onWritten`.
   */
  onData(view: Uint8Array): void;
  /** The peer sent FIN: nothing more will arrive; the other direction stays open. */
  onEnd(): void;
  /** The write that answered false has been handed to the kernel completely. */
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
 * waits for `onWritten`.
 */
export interface Wire {
  /** Set before the first `resume`, and replaced only by the code that set it. */
  handler: WireHandler;

  /** The peer's address as the system prints it (`192.0.2.1`, `2001:db8::1`); an IPv4 peer of an IPv6 listener is shown as IPv4. */
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
   * Sends `view` after everything written before.
   * @returns true when the kernel has it all, and the memory may be reused; false when `onWritten` will say so.
   */
  write(view: Uint8Array): boolean;
  /** Sends FIN after everything written. Nothing may be written later. Idempotent. */
  end(): void;
  /** Closes at once with RST where the transport has one; what was not yet sent is lost. Idempotent. */
  reset(): void;
  /** Closes at once; what the kernel accepted is still delivered. Idempotent. */
  close(): void;
}
