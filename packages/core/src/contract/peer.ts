/** A real socket at the far end of a wire. It reads only what it is asked to read. `Peer` of the testkit is one. */
export interface ContractPeer {
  readonly localAddress: string;
  readonly localPort: number;
  /** Resolves when its kernel has the bytes; rejects when the connection broke. */
  send(bytes: Uint8Array): Promise<void>;
  /** Sends FIN, after `bytes` if there are any. */
  end(bytes?: Uint8Array): void;
  /** Sends RST. */
  reset(): void;
  /** The next `count` bytes. */
  take(count: number): Promise<Uint8Array>;
  /** Reads to the end; SHA-256 in hex. */
  rest(): Promise<{ readonly bytes: number; readonly hash: string; readonly ending: 'end' | 'reset' }>;
  /** The socket is gone. */
  readonly closed: Promise<'end' | 'reset'>;
}

/** Lets everything happen that can happen now: what was going to go wrong has had the time to. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Settles, again and again, until `value` stays as it is. */
export async function settled(value: () => number): Promise<number> {
  for (let last = -1; ; last = value()) {
    await settle();
    if (value() === last) return last;
  }
}
