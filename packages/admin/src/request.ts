/** A request as the Admin API sees it, free of the HTTP framework. */
export interface AdminRequest {
  /** Upper case. */
  readonly method: string;
  /** As it was sent: percent-encoded, with the query. */
  readonly target: string;
  /** The connection's other end, without a zone; an IPv4 client of an IPv6 listener is shown as IPv4. */
  readonly remoteAddress: string;
  /** The header's value, by its name in lower case; the first one if there are several. */
  header(name: string): string | undefined;
  /** Reads the body, once. */
  readBody(): Promise<RawBody>;
  /** Is told the name of the key that the client has shown. */
  identified(name: string): void;
}

/** Empty bytes stand for no body. */
export type RawBody = { readonly bytes: Buffer } | { readonly tooLarge: string };
