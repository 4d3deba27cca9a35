/** What is known of a session when it is routed. Read only as far as the routes there are need it. */
export interface StreamFacts {
  /** The local port that was connected to. */
  readonly serverPort: number;
  /** The local address that was connected to: an ip literal, never the wildcard. */
  readonly serverAddress: string;
  /** The client's address: an ip literal. */
  readonly remoteAddress: string;
  /** The name asked for in the TLS handshake; absent without TLS or without a name. Case and one trailing dot do not matter. */
  readonly serverName: string | undefined;
  /** The application protocols that the client offers in TLS, in its order; absent without. Compared byte for byte. */
  readonly alpn?: readonly string[] | undefined;
}
