/** What the members of a cluster reach each other by, and where it can be cut. */
export interface MemberNetwork {
  /** For people: how it is made. */
  readonly kind: 'network namespaces' | 'proxies';
  /** Where each member is, by its index. */
  readonly places: readonly MemberPlace[];
  /**
   * From now on the member and the others exchange nothing, in either direction and without a word: packets are
   * lost, connections stay.
   * @param id etcd's own number of the member, in hex.
   */
  isolate(index: number, id: string): Promise<void>;
  /** Everybody reaches everybody again. */
  heal(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface MemberPlace {
  /** The URL that a member listens on. */
  readonly listenUrl: string;
  /** The URL that the others know. */
  readonly peerUrl: string;
  /** The program that etcd is run by, and its arguments. */
  readonly runner: readonly string[];
}
