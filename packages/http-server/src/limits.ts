/** What keeps slow and idle clients from tying a server up. */
export interface HttpLimits {
  /** For a TLS handshake, and for a request's headers from its first byte or the connection's start. Milliseconds; default 10 000. */
  readonly headersTimeoutMs?: number;
  /** For a whole request. Milliseconds; default 30 000. */
  readonly requestTimeoutMs?: number;
  /** Between two requests on one connection. Milliseconds; default 60 000. */
  readonly keepAliveTimeoutMs?: number;
  /** Without a byte either way, whatever is going on. Milliseconds; default 120 000. */
  readonly socketTimeoutMs?: number;
  /** Open at the same time; more are closed at once. Default 1024. */
  readonly maxConnections?: number;
  /** Of these, how many may be from clients that are only told that they may not come. Default 64. */
  readonly maxStrangers?: number;
  /** For requests in progress when the server closes. Milliseconds; default 2000. */
  readonly closeGraceMs?: number;
}

/** With every default in place. */
export function fillLimits(limits: HttpLimits): Required<HttpLimits> {
  return {
    headersTimeoutMs: limits.headersTimeoutMs ?? 10_000,
    requestTimeoutMs: limits.requestTimeoutMs ?? 30_000,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs ?? 60_000,
    socketTimeoutMs: limits.socketTimeoutMs ?? 120_000,
    maxConnections: limits.maxConnections ?? 1024,
    maxStrangers: limits.maxStrangers ?? 64,
    closeGraceMs: limits.closeGraceMs ?? 2000,
  };
}
