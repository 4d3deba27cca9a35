/**
 * What a port tells its one user. None is called from inside a method of the port, apart from `onClosed`, which comes
 * once, after which nothing does.
 */
export interface DatagramPortHandler {
  /**
   * A client's datagram, possibly empty.
   * @param view its memory is nobody else's: it may be sent on as it is.
   * @param address the client's, as the system prints it; an IPv4 client is shown as IPv4.
   */
  onDatagram(view: Uint8Array, address: string, port: number): void;
  /** @param errno why, unless it was asked for: `EADDRNOTAVAIL` when this machine no longer has the address. */
  onClosed(errno: string | undefined): void;
}

/** A socket that clients' datagrams arrive at. What is sent from it has the address that the clients asked. */
export interface DatagramPort {
  handler: DatagramPortHandler;
  /** The concrete address of this machine that a client at `address` talks to, never the wildcard. */
  localAddressFor(address: string): string;
  /**
   * Sends one datagram. As on any network it may be lost: an error of the system is not told.
   * @returns false when it was dropped at once, because too much is waiting to be sent.
   */
  send(view: Uint8Array, address: string, port: number): boolean;
}

/**
 * How a link broke. `refused`: nobody listens at the node's port, as its machine said with an ICMP message; `exhausted`:
 * this machine has no socket or local port left, and the node has no part in it.
 */
export interface LinkFailure {
  readonly kind: 'refused' | 'failed' | 'exhausted';
  /** The system's name for it: `ECONNREFUSED`, `EHOSTUNREACH`. */
  readonly errno: string;
}

/** What a link tells its one user, never from inside one of its methods. */
export interface DatagramLinkHandler {
  /** @param view as for `DatagramPortHandler.onDatagram`. */
  onDatagram(view: Uint8Array): void;
  /**
   * The link is closed; nothing comes after it.
   * @param unsent the datagram that met the error and did not go out, if one did: an error is told with the next `send`
   * or by itself, whichever comes first.
   */
  onFailure(failure: LinkFailure, unsent: Uint8Array | undefined): void;
}

/** A socket that is connected to one node: only that node's datagrams arrive, and ICMP errors do. */
export interface DatagramLink {
  /** Set before the next turn of the event loop. */
  handler: DatagramLinkHandler;
  /** @returns false when the datagram was dropped at once, because too much is waiting to be sent. */
  send(view: Uint8Array): boolean;
  /** Nothing comes after it. Idempotent. */
  close(): void;
}
