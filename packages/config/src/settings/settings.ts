/**
 * config.yaml as the gateway uses it: defaults merged in, variables substituted, derived values set, frozen.
 * Names are those of the file. Keys this table does not know are kept beside these, untyped.
 * `docs/config/settings.md` explains every field.
 */
export interface Settings {
  readonly apisix: ApisixSettings;
  readonly deployment: DeploymentSettings;
  readonly nginx_config: NginxSettings;
  /** Names of the enabled HTTP plugins; order means nothing. */
  readonly plugins: readonly string[];
  /** Names of the enabled stream plugins; order means nothing. */
  readonly stream_plugins: readonly string[];
  readonly plugin_attr: PluginAttributes;
  /** Where `discovery_type` of an upstream is looked up, by its name. Absent: nowhere. */
  readonly discovery?: { readonly dns?: DnsDiscoverySettings };
}

export interface ApisixSettings {
  /** Read it through `httpListeners`. */
  readonly node_listen: number | readonly (number | ListenAddress)[];
  /** Always true for a control plane, always false for a data plane. */
  readonly enable_admin: boolean;
  readonly enable_control: boolean;
  readonly control: ServerAddress;
  /** Absent: no status server. */
  readonly status?: ServerAddress;
  readonly proxy_mode: ProxyMode;
  /** Read it through `streamListeners`. */
  readonly stream_proxy?: StreamProxySettings;
  readonly proxy_protocol?: ProxyProtocolSettings;
  /** Several threads may listen on one port. Always false in development mode. */
  readonly enable_reuseport: boolean;
  /** One worker, no port reuse. */
  readonly enable_dev_mode: boolean;
  /** IPv6 listeners beside the IPv4 wildcard, and AAAA lookups. */
  readonly enable_ipv6: boolean;
  /** The version in the `Server` header. */
  readonly enable_server_tokens: boolean;
  /** Addresses of name servers, port optional. Absent: those of the system. */
  readonly dns_resolver?: readonly string[];
  /** Seconds an answer is used, in place of the record's TTL. Absent: the TTL. */
  readonly dns_resolver_valid?: number;
  /** Seconds for one look-up of a name, all its queries together; 0 is no limit beyond theirs. */
  readonly resolver_timeout: number;
  /** Apply the `search` suffixes of resolv.conf. */
  readonly enable_resolv_search_opt: boolean;
  readonly disable_upstream_healthcheck: boolean;
  readonly ssl: SslSettings;
  readonly data_encryption?: {
    /** One key or several, each 16 or 32 characters: the first encrypts, all decrypt. Absent: nothing is encrypted. */
    readonly keyring?: string | readonly string[];
  };
  readonly lru: {
    readonly secret: SecretCacheSettings;
  };
  /** The identity of this gateway. Absent: one is made and kept. */
  readonly id?: string;
}

/** Exactly one of `servers` and `resolv_conf` is there. */
export interface DnsDiscoverySettings {
  /** Addresses of name servers, port optional. */
  readonly servers?: readonly string[];
  /** A path of a resolv.conf(5). */
  readonly resolv_conf?: string;
  /** The types of records to try, in this order. Absent: last, SRV, A, AAAA, CNAME. */
  readonly order?: readonly ('last' | 'SRV' | 'A' | 'AAAA' | 'CNAME')[];
}

/** When secrets are read again. The reference's `count` and `neg_count` bound nothing: only what is in use is kept. */
export interface SecretCacheSettings {
  /** Seconds until a secret is read again. */
  readonly ttl: number;
  /** Seconds until a read that failed is repeated. */
  readonly neg_ttl: number;
}

export type ProxyMode = 'http' | 'stream' | 'http&stream';

export interface ServerAddress {
  readonly ip: string;
  readonly port: number;
}

export interface ListenAddress {
  readonly ip?: string;
  readonly port?: number;
}

export interface StreamProxySettings {
  readonly tcp?: readonly (number | string | StreamProxyEntry)[];
  readonly udp?: readonly (number | string)[];
}

export interface StreamProxyEntry {
  readonly addr: number | string;
  readonly tls?: boolean;
  /** A PROXY header has to come first. Absent: as `proxy_protocol.enable_tcp_pp` says. */
  readonly proxy_protocol?: boolean;
  /** Send one to the upstream; true is version 1. Absent: as `proxy_protocol.enable_tcp_pp_to_upstream` says. */
  readonly proxy_protocol_to_upstream?: boolean | 'v1' | 'v2';
  /** Ours: read the server name from the ClientHello and pass TLS on as it is. Absent: no. */
  readonly tls_passthrough?: boolean;
  /** Ours: versions of TLS, with blanks between. Absent: as `ssl.ssl_protocols` says. */
  readonly ssl_protocols?: string;
  /** Ours: in OpenSSL's notation. Absent: as `ssl.ssl_ciphers` says. */
  readonly ssl_ciphers?: string;
  /** Ours: sessions of the port at a time, over all workers; one more is closed. Absent: no limit. */
  readonly max_connections?: number;
  /** Ours: new connections per second, over all workers; what exceeds it is closed. Absent: no limit. */
  readonly connection_rate?: number;
  /** Ours: connections that may come at once where none came before. Absent: as many as a second brings, at least 1. */
  readonly connection_burst?: number;
  /** Ours: seconds of silence after which the system asks a client whether it is still there. Absent: it does not ask. */
  readonly tcp_keepalive?: number;
}

/** What holds for every `stream_proxy.tcp` entry that does not say otherwise. */
export interface ProxyProtocolSettings {
  readonly enable_tcp_pp?: boolean;
  readonly enable_tcp_pp_to_upstream?: boolean;
}

export interface SslSettings {
  readonly enable: boolean;
  readonly listen: readonly ListenAddress[];
  /** `system`, or a path relative to the working directory. */
  readonly ssl_trusted_certificate: string;
  /** Versions of TLS for clients, with blanks between. Of the Admin API's the lowest and the highest count. */
  readonly ssl_protocols: string;
  /** Ciphers for TLS 1.2 and before, in OpenSSL's notation. */
  readonly ssl_ciphers: string;
  /** The server name used when a client sends none. */
  readonly fallback_sni?: string;
}

/** What a gateway is for: `control_plane` serves no traffic, `data_plane` has no Admin API. */
export type Role = 'traditional' | 'control_plane' | 'data_plane';
export type ConfigProvider = 'embedded' | 'etcd' | 'yaml' | 'json';

/**
 * How resources get in: from a `store` that others may write too, from a `file` below HOME/conf, or through the `api`
 * that replaces all of them at once and keeps them in memory.
 */
export type RuleSource = 'store' | 'file' | 'api';

export interface DeploymentSettings {
  readonly role: Role;
  /** As written, like the two below; `config_provider` is the one in effect. */
  readonly role_traditional: { readonly config_provider?: 'embedded' | 'etcd' | 'yaml' };
  /** There when `role` is `control_plane`. */
  readonly role_control_plane?: { readonly config_provider: 'etcd' };
  /** There when `role` is `data_plane`. */
  readonly role_data_plane?: { readonly config_provider: 'etcd' | 'yaml' | 'json' };
  /** What the section of the role says, or what its absence means. */
  readonly config_provider: ConfigProvider;
  /** Follows from role, provider and `apisix.enable_admin`. */
  readonly rules: RuleSource;
  readonly admin: AdminSettings;
  /** In use when `config_provider` is `etcd`. */
  readonly etcd: EtcdSettings;
  /** In use when `config_provider` is `embedded`. */
  readonly embedded: EmbeddedSettings;
}

export interface AdminSettings {
  readonly admin_key_required: boolean;
  /** Absent or empty: no key is known. An entry with an empty key stands for a key that is still to be made. */
  readonly admin_key?: readonly AdminKey[];
  readonly enable_admin_cors: boolean;
  readonly enable_admin_ui: boolean;
  /** Addresses and CIDR blocks. Absent: every client is allowed. */
  readonly allow_admin?: readonly string[];
  readonly admin_listen: ServerAddress;
  /** Serve it over TLS. Absent: no. */
  readonly https_admin?: boolean;
  readonly admin_api_mtls?: AdminApiMtlsSettings;
  /** Write a line for every request. */
  readonly enable_access_log: boolean;
  /** A path relative to HOME. */
  readonly access_log: string;
  /** Anything but `v3` means the older response shapes. */
  readonly admin_api_version: string;
}

/** Files in PEM, relative to HOME's `conf`. Read them through `adminTls`. */
export interface AdminApiMtlsSettings {
  readonly admin_ssl_cert?: string;
  readonly admin_ssl_cert_key?: string;
  /** Clients must show a certificate that one of these signed. Absent or empty: they need none. */
  readonly admin_ssl_ca_cert?: string;
}

export interface AdminKey {
  readonly name: string;
  readonly key: string;
  /** `viewer` may only read. */
  readonly role: 'admin' | 'viewer';
}

export interface EtcdSettings {
  /** URLs. */
  readonly host: readonly string[];
  readonly prefix: string;
  /** Seconds, for connecting and for one request. */
  readonly timeout: number;
  /** Seconds, for one round of watching. */
  readonly watch_timeout: number;
  /** Tries per endpoint when the key layout is prepared, and of the first load. */
  readonly startup_retry: number;
  /** Whole seconds between tries once the growing pauses are used up; 0 is 1, absent or negative: 5. */
  readonly resync_delay?: number;
  /** Whole seconds in which an endpoint that failed is asked last; absent or negative: 10. */
  readonly health_check_timeout?: number;
  /** In use when `password` is there too. */
  readonly user?: string;
  readonly password?: string;
  readonly tls?: EtcdTlsSettings;
  readonly snapshot: EtcdSnapshotSettings;
}

/** Ours: what etcd held last, kept on disk to start from while etcd is away. */
export interface EtcdSnapshotSettings {
  readonly enable: boolean;
  /** The file, relative to HOME. */
  readonly path: string;
}

export interface EtcdTlsSettings {
  /** Path of the client certificate, PEM. */
  readonly cert?: string;
  /** Path of its key, PEM. */
  readonly key?: string;
  /** Check the server's certificate. Absent: yes. */
  readonly verify?: boolean;
  /** The server name to send and check. Absent: the URL's host. */
  readonly sni?: string;
}

export interface EmbeddedSettings {
  /** The database file, relative to HOME. */
  readonly path: string;
}

export interface NginxSettings {
  /** Threads that serve traffic; `auto` is one per CPU, 0 serves inside the calling thread. */
  readonly worker_processes: number | 'auto';
  /** A number of seconds or `1m 30s`: read it through `parseDurationMs`. 0 waits without limit. */
  readonly worker_shutdown_timeout: number | string;
  /** A path relative to HOME. */
  readonly error_log: string;
  readonly error_log_level: LogLevel;
  readonly event: {
    /** Connections per worker, both sides of a session counted. */
    readonly worker_connections: number;
  };
  readonly stream: NginxStreamSettings;
}

export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit' | 'alert' | 'emerg';

export interface NginxStreamSettings {
  readonly enable_access_log: boolean;
  /** A path relative to HOME. */
  readonly access_log: string;
  readonly access_log_format: string;
  readonly access_log_format_escape: 'default' | 'json';
  /** Addresses and CIDR blocks of peers whose PROXY header is believed. Absent: nobody's. */
  readonly real_ip_from?: readonly string[];
  /** Pass the end of one direction on and leave the other open; false ends the session at the first end. */
  readonly half_close: boolean;
  /** `auto` takes the fastest relay that works here, `socket` the one on Node's public sockets. */
  readonly relay: 'auto' | 'socket';
  /** Ours: UDP sessions per worker, at least 1. One more ends the one that has been idle longest. */
  readonly udp_sessions: number;
  /** Ours: spans of sessions, by OpenTelemetry. */
  readonly tracing: TracingSettings;
}

export interface TracingSettings {
  readonly enable: boolean;
  /** A module that registers a tracer provider, imported in every worker. A path, relative to the working directory. Absent: none. */
  readonly register?: string;
  /** The share of sessions that are traced, 0 to 1. */
  readonly sample_ratio: number;
}

/** By plugin name; each plugin reads its own. */
export interface PluginAttributes {
  readonly prometheus: PrometheusAttributes;
  readonly [plugin: string]: unknown;
}

export interface PrometheusAttributes {
  readonly export_uri: string;
  /** Put before the name of every metric. */
  readonly metric_prefix: string;
  /** Serve the metrics on a port of their own. */
  readonly enable_export_server: boolean;
  readonly export_addr: ServerAddress;
  /** Ours: routes by their names where they have one, not by their ids. */
  readonly prefer_name: boolean;
  readonly metrics: PrometheusMetrics;
}

/** By metric. */
export interface PrometheusMetrics {
  readonly stream_connection_total: SessionMetric;
  readonly stream_status: SessionMetric;
  readonly [metric: string]: unknown;
}

export interface SessionMetric {
  /** A series goes after this long without a change. Seconds; 0 is never. */
  readonly expire: number;
  /** Labels beside its own: a name and a variable, `$route_name`, each. Default: none. */
  readonly extra_labels?: readonly Readonly<Record<string, string>>[];
}
