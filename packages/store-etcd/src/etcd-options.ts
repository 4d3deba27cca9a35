/** How to reach etcd, and where in it the configuration is. */
export interface EtcdOptions {
  /** At least one of `http://host:port` or `https://host:port`; the port is 2379 when left out. */
  readonly hosts: readonly string[];
  /** What every key begins with, before a slash. */
  readonly prefix: string;
  /** One request, connecting included, fails after this long at one host. Milliseconds, at least 1. */
  readonly timeoutMs: number;
  /** A watch that heard nothing from etcd for this long, though it asked, is taken for dead. Milliseconds, at least 1. */
  readonly watchTimeoutMs: number;
  /** A host that failed is asked after the others for this long. Milliseconds; 0: it keeps its place. */
  readonly downMs: number;
  /** How often `initEtcd` asks a host for its version before it counts as down. At least 1. */
  readonly startupAttempts: number;
  /** Absent: no authentication. */
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly tls: EtcdTlsOptions;
}

/** For the hosts that begin with `https://`. Files hold PEM text and are read when the store is opened. */
export interface EtcdTlsOptions {
  /** Whether the server's certificate must be one that we trust, for the host's name. */
  readonly verify: boolean;
  /** The name to send (SNI) and to expect in the certificate. Absent: the host's own. */
  readonly serverName?: string;
  /** The authorities to trust. Absent: those that come with Node. */
  readonly caFile?: string;
  /** Our own certificate and its key, if etcd asks for one. Both or neither. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** `deployment.etcd` of config.yaml, after defaults or before. Seconds. */
export interface EtcdSettings {
  readonly host?: readonly string[];
  readonly prefix?: string;
  readonly timeout?: number;
  readonly watch_timeout?: number;
  readonly startup_retry?: number;
  readonly health_check_timeout?: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls?: {
    readonly cert?: string;
    readonly key?: string;
    readonly verify?: boolean;
    readonly sni?: string;
  };
}

/**
 * APISIX's names and seconds to ours, with its defaults.
 * @param caFile the file of `apisix.ssl.ssl_trusted_certificate`, if the operator named one.
 */
export function etcdOptions(settings: EtcdSettings, caFile?: string): EtcdOptions {
  const { user, password, tls = {}, health_check_timeout: downSeconds = -1 } = settings;
  return {
    hosts: settings.host ?? ['http://127.0.0.1:2379'],
    prefix: settings.prefix ?? '/apisix',
    timeoutMs: (settings.timeout ?? 30) * 1000,
    watchTimeoutMs: (settings.watch_timeout ?? 50) * 1000,
    downMs: (downSeconds < 0 ? 10 : downSeconds) * 1000,
    startupAttempts: settings.startup_retry ?? 2,
    ...(user !== undefined && password !== undefined && { credentials: { user, password } }),
    tls: {
      verify: tls.verify ?? true,
      ...(tls.sni !== undefined && { serverName: tls.sni }),
      ...(caFile !== undefined && { caFile }),
      ...(tls.cert !== undefined && { certFile: tls.cert }),
      ...(tls.key !== undefined && { keyFile: tls.key }),
    },
  };
}
