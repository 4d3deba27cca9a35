import type { RelayRates } from '@apisix-ts/core';

/**
 * What workers know: compiled from documents in the main thread, resolved to addresses, plain enough to be copied
 * to another thread. Labels and descriptions stay behind, and so do defaults that most resources have.
 */

/** A plugin that is switched on, and its configuration. */
export interface PluginFacts {
  readonly name: string;
  /** The configuration, checked, as JSON: who has the same text has the same plugin at work. */
  readonly text: string;
  /** `_meta.filter`: an expression over variables. Absent: it looks at every session. */
  readonly filter?: readonly unknown[];
}

/** A stream route. Without `upstreamKey` the service's upstream serves; without both there is nothing to serve with. */
export interface RouteFacts {
  readonly id: string;
  /** For variables. */
  readonly name?: string;
  readonly priority: number;
  /** Names of the TLS handshake, wildcards too; absent is no condition. */
  readonly serverNames?: readonly string[];
  /** Application protocols of TLS; absent is no condition. */
  readonly alpn?: readonly string[];
  readonly serverPort?: number;
  /** An ip or CIDR block. */
  readonly serverAddr?: string;
  /** An ip or CIDR block. */
  readonly remoteAddr?: string;
  readonly upstreamKey?: string;
  readonly serviceId?: string;
  /** On listeners that both terminate TLS and pass it on: pass it on. */
  readonly tlsPassthrough?: true;
  /** Bytes per second of a session; absent: no limit. */
  readonly rates?: RelayRates;
  /** In no particular order; absent: none. */
  readonly plugins?: readonly PluginFacts[];
}

export interface ServiceFacts {
  /** For variables. */
  readonly name?: string;
  readonly upstreamKey?: string;
  /** Those of a route with the same name go first. Absent: none. */
  readonly plugins?: readonly PluginFacts[];
}

/** What all configurations of a plugin have in common: its `plugin_metadata`, checked. */
export interface PluginMetadataFacts {
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface NodeFacts {
  /** As configured: a name, or an address. Of a unix socket `localhost`: whom certificates and `Host` headers name. */
  readonly host: string;
  /** An ip literal, or `unix:/path`. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The addresses of one name share its weight, so this may be a fraction. */
  readonly weight: number;
  readonly priority: number;
  /** Where its load is in shared memory. */
  readonly slot: number;
}

export interface UpstreamFacts {
  /** The balancer's name. */
  readonly type: string;
  /** What a hashing balancer hashes; absent for others. */
  readonly hash?: HashFacts;
  readonly nodes: readonly NodeFacts[];
  readonly connectTimeoutMs: number;
  /** Between two bytes of a session, either way. */
  readonly idleTimeoutMs: number;
  /** Further attempts after the first; absent is one for each further node. */
  readonly retries?: number;
  /** From the first attempt on, after which no other is begun; absent is no limit. */
  readonly retryTimeoutMs?: number;
  /** How old a session gets, and by which part of that, from 0 to 1, it may be less; absent is no limit. */
  readonly sessionAge?: { readonly mostMs: number; readonly jitter: number };
  /** Silence after which the system asks a node; absent: it does not ask. */
  readonly keepAliveSeconds?: number;
  /** Where to connect from, ip literals; absent: the system chooses. */
  readonly sourceAddresses?: readonly string[];
  /** Sessions that each node has at a time; absent is no limit. */
  readonly nodeMaxConnections?: number;
  /** Of each worker; absent: nobody waits for a node. */
  readonly queue?: { readonly length: number; readonly timeoutMs: number };
  /** Absent: plain TCP. */
  readonly tls?: UpstreamTlsFacts;
  /** Which failures of its nodes the main thread wants to hear of: attempts to connect, or lost sessions too; absent: none. */
  readonly reports?: 'attempts' | 'sessions';
}

/** `hash_on` and `key` of the reference. */
export interface HashFacts {
  readonly on: string;
  readonly key?: string;
}

/** PEM, both. */
export interface KeyPairFacts {
  readonly cert: string;
  readonly key: string;
}

/** What clients are shown under some names. */
export interface CertificateFacts {
  readonly serverNames: readonly string[];
  readonly pairs: readonly KeyPairFacts[];
  /** Whose certificates clients have to show. */
  readonly client?: { readonly ca: string; readonly depth: number };
  readonly versions?: readonly ('TLSv1.1' | 'TLSv1.2' | 'TLSv1.3')[];
}

export interface UpstreamTlsFacts {
  /** The server's certificate has to be for the node's host, of an authority that is trusted. */
  readonly verify: boolean;
  readonly clientPair?: KeyPairFacts;
}

/** One thing to know from now on, or, without `facts`, to forget. */
export type FactChange =
  | { readonly kind: 'route'; readonly key: string; readonly facts: RouteFacts | undefined }
  | { readonly kind: 'service'; readonly key: string; readonly facts: ServiceFacts | undefined }
  | {
      readonly kind: 'plugin-metadata';
      readonly key: string;
      readonly facts: PluginMetadataFacts | undefined;
    }
  | { readonly kind: 'certificate'; readonly key: string; readonly facts: CertificateFacts | undefined }
  | {
      readonly kind: 'upstream';
      readonly key: string;
      /** `UpstreamFacts` as JSON: of many upstreams a worker has sessions for few, and reads only those. */
      readonly facts: string | undefined;
    };
