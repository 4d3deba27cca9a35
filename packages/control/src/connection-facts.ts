/** A connection that somebody thinks of. */
export interface ConnectionQuestion {
  readonly protocol: 'tcp' | 'udp';
  readonly serverPort: number;
  /** Absent: that of the listener, or a loopback address. An ip literal, as the next one. */
  readonly serverAddress?: string;
  /** Absent: a loopback address. */
  readonly remoteAddress?: string;
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  /** Most routes in the answer. */
  readonly limit: number;
}

/** What a worker says that it would do with it. */
export interface ConnectionFacts {
  /** As it is routed. */
  readonly connection: Omit<ConnectionQuestion, 'limit' | 'serverAddress' | 'remoteAddress'> & {
    readonly serverAddress: string;
    readonly remoteAddress: string;
  };
  /** Absent: nothing listens there. */
  readonly listener?: ConnectionListenerFacts;
  /** It takes nobody, because an operator said so. */
  readonly isListenerDrained: boolean;
  readonly tls: 'terminated' | 'passed-on' | 'unread';
  /** The id of the ssl that the client is shown. */
  readonly certificate?: string;
  /** The code of the reason why it would be closed at once. */
  readonly refusal?: string;
  readonly verdicts: readonly RouteFacts[];
  readonly matching: number;
  readonly missing: number;
  /** Ids of routes that would match, and are drained. */
  readonly drained: readonly string[];
  /** What the plugins of its route would say to it, in their order. */
  readonly plugins: readonly ConnectionPluginFacts[];
  readonly upstream?: ConnectionUpstreamFacts;
}

export interface ConnectionPluginFacts {
  readonly plugin: string;
  /** `open`: that hangs on more than what is known of the connection. */
  readonly verdict: 'passes' | 'refuses' | 'open';
  /** Why it refuses. */
  readonly why?: string;
}

export interface ConnectionListenerFacts {
  /** `0.0.0.0:9100`, `0.0.0.0:53/udp`. */
  readonly name: string;
  readonly heads: {
    readonly proxyProtocol: boolean;
    readonly tlsPassthrough: boolean;
    readonly proxyProtocolToUpstream: 0 | 1 | 2;
  };
  readonly limits: {
    readonly maxConnections?: number;
    readonly connectionRate?: { readonly perSecond: number; readonly burst: number };
  };
}

/** What a route asks of a connection, and what became of it. */
export interface RouteFacts {
  readonly id: string;
  readonly priority: number;
  readonly serverNames: readonly string[];
  readonly alpn: readonly string[];
  readonly serverPort?: number;
  readonly serverAddr?: string;
  readonly remoteAddr?: string;
  readonly verdict:
    | { readonly kind: 'wins' }
    | { readonly kind: 'loses'; readonly by: 'priority' | ConditionName | 'id' }
    | { readonly kind: 'misses'; readonly on: readonly ConditionName[] };
}

export type ConditionName = 'serverName' | 'alpn' | 'serverPort' | 'serverAddr' | 'remoteAddr';

export interface ConnectionUpstreamFacts {
  /** `upstreams/1`, or the place of the route or service that has it. */
  readonly key: string;
  readonly type: string;
  readonly isTls: boolean;
  readonly nodeMaxConnections?: number;
  readonly nodes: readonly ConnectionNodeFacts[];
}

export interface ConnectionNodeFacts {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  readonly isHealthy: boolean;
  /** Sessions that are busy with it. */
  readonly active: number;
  /** It gets no new sessions, because an operator said so. */
  readonly isDrained: boolean;
  /** The next session may get it at its first attempt. */
  readonly isInTurn: boolean;
}
