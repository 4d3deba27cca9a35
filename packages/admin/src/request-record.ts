/** One request and how it was answered, for a log. */
export interface AdminRequestRecord {
  /** Upper case; undefined, like the target, for bytes that were no request. */
  readonly method: string | undefined;
  /** Path and query as they were sent, without the key. */
  readonly target: string | undefined;
  /** 499 when the client was gone before it had the answer. */
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  /** From the request's headers to the last byte of the answer. Milliseconds. */
  readonly durationMs: number;
  /** Without a zone; an IPv4 client of an IPv6 listener is shown as IPv4. */
  readonly remoteAddress: string;
  /** The name of the key; undefined where there was none, or a wrong one. */
  readonly user: string | undefined;
}
