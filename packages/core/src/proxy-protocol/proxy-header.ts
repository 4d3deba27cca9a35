/** What a PROXY header says: versions 1 and 2 of HAProxy's "The PROXY protocol". */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** A connection the proxy made for itself, a health check as a rule. Always false in version 1. */
  readonly isLocal: boolean;
  /** Absent where the connection's own addresses are to be used: LOCAL, UNKNOWN, unspecified family or protocol. */
  readonly addresses: ProxyAddresses | undefined;
  /** Empty in version 1, and where `addresses` is absent: there the block's layout is not known. */
  readonly tlvs: ProxyTlvs;
}

/** Who talks to whom through the proxy. */
export type ProxyAddresses = IpAddresses | UnixAddresses;

export interface IpAddresses {
  readonly family: 'ip';
  /** What the client speaks to the proxy; `stream` in version 1. */
  readonly transport: ProxyTransport;
  readonly source: ProxyEndpoint;
  readonly destination: ProxyEndpoint;
}

export interface UnixAddresses {
  readonly family: 'unix';
  readonly transport: ProxyTransport;
  /** At most 108 bytes in UTF-8; `@name` in the abstract namespace; empty: unnamed. */
  readonly sourcePath: string;
  readonly destinationPath: string;
}

export type ProxyTransport = 'stream' | 'datagram';

export interface ProxyEndpoint {
  /** The shortest text of the address (RFC 5952), an IPv4-mapped one as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** The extensions of version 2 (section 2.2). */
export interface ProxyTlvs {
  /** The protocol agreed on with the client, one character a byte. */
  readonly alpn?: string;
  /** The host name the client asked for: SNI. */
  readonly authority?: string;
  /** Names the connection across proxies; at most 128 bytes. */
  readonly uniqueId?: Uint8Array;
  readonly ssl?: ProxySsl;
  /** The network namespace. */
  readonly netns?: string;
  /** Everything else but padding, in order: types 0xe0 to 0xef are for applications. */
  readonly others?: readonly ProxyTlv[];
}

export interface ProxySsl {
  /** The client speaks TLS to the proxy. */
  readonly isTls: boolean;
  /** It presented a certificate on this connection. */
  readonly hasCertificate: boolean;
  /** It presented one at least once in the TLS session. */
  readonly hasSessionCertificate: boolean;
  /** It presented a certificate, and that was verified. */
  readonly isVerified: boolean;
  /** `TLSv1.3`. */
  readonly version?: string;
  /** The common name of the client's certificate. */
  readonly commonName?: string;
  readonly cipher?: string;
  /** How the proxy's certificate was signed, `RSA-SHA256`, and what its key is, `RSA2048`. */
  readonly signatureAlgorithm?: string;
  readonly keyAlgorithm?: string;
  readonly others?: readonly ProxyTlv[];
}

export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}
