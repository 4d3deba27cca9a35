/** Who has to act: the client, the upstream server, the operator (configuration, machine), or we. */
export type ErrorSide = 'downstream' | 'upstream' | 'operator' | 'internal';

export interface CodeFacts {
  readonly side: ErrorSide;
  /** May the same thing be tried again, on another node or a moment later? */
  readonly retryable: boolean;
  /** The HTTP status an answer about this error carries; also the `status` of a session's access log line. */
  readonly status: number;
}

/**
 * Every error code there is, by subject. `docs/errors.md` has a section for each one, and `pnpm docs:check` keeps
 * the two equal. A released code is never renamed or reused.
 */
export const codes = {
  // Settings: config.yaml and the environment
  SETTINGS_FILE_UNREADABLE: { side: 'operator', retryable: false, status: 500 },
  SETTINGS_SYNTAX: { side: 'operator', retryable: false, status: 500 },
  SETTINGS_VARIABLE_MISSING: { side: 'operator', retryable: false, status: 500 },
  SETTINGS_INVALID: { side: 'operator', retryable: false, status: 500 },
  SETTINGS_UNSUPPORTED: { side: 'operator', retryable: false, status: 500 },
  SETTINGS_PORT_CONFLICT: { side: 'operator', retryable: false, status: 500 },

  // Resources: stream routes, upstreams, services
  RESOURCE_INVALID: { side: 'operator', retryable: false, status: 400 },

  // Plugins
  PLUGINS_UNUSABLE: { side: 'operator', retryable: false, status: 503 },

  // Secrets: what references to the environment and to managers stand for
  SECRET_REFERENCE_INVALID: { side: 'operator', retryable: false, status: 500 },
  SECRET_MANAGER_UNKNOWN: { side: 'operator', retryable: false, status: 500 },
  SECRET_MANAGER_UNAVAILABLE: { side: 'operator', retryable: false, status: 500 },
  SECRET_UNREACHABLE: { side: 'operator', retryable: true, status: 503 },
  SECRET_DENIED: { side: 'operator', retryable: true, status: 503 },
  SECRET_NOT_FOUND: { side: 'operator', retryable: true, status: 503 },
  SECRET_INVALID: { side: 'operator', retryable: true, status: 503 },

  // Store: where resources are kept
  STORE_UNREACHABLE: { side: 'operator', retryable: true, status: 503 },
  STORE_COMPACTED: { side: 'internal', retryable: true, status: 503 },
  STORE_REWOUND: { side: 'operator', retryable: true, status: 503 },
  STORE_CONFLICT: { side: 'operator', retryable: true, status: 503 },
  STORE_CORRUPT: { side: 'operator', retryable: false, status: 503 },
  STORE_TOO_NEW: { side: 'operator', retryable: false, status: 503 },
  STORE_FULL: { side: 'operator', retryable: true, status: 503 },
  STORE_VALUE_TOO_LARGE: { side: 'operator', retryable: false, status: 413 },
  STORE_LOCKED: { side: 'operator', retryable: false, status: 503 },
  STORE_DENIED: { side: 'operator', retryable: false, status: 503 },
  STORE_CLOSED: { side: 'internal', retryable: false, status: 503 },

  // The snapshot of the store's content on disk
  SNAPSHOT_CORRUPT: { side: 'operator', retryable: false, status: 500 },
  SNAPSHOT_FOREIGN: { side: 'operator', retryable: false, status: 500 },
  SNAPSHOT_UNREADABLE: { side: 'operator', retryable: false, status: 500 },
  SNAPSHOT_UNWRITABLE: { side: 'operator', retryable: true, status: 500 },

  // Listeners and threads
  LISTENER_PORT_IN_USE: { side: 'operator', retryable: true, status: 500 },
  LISTENER_DENIED: { side: 'operator', retryable: false, status: 500 },
  LISTENER_FAILED: { side: 'operator', retryable: true, status: 500 },
  DRAIN_TARGET_UNKNOWN: { side: 'operator', retryable: false, status: 404 },
  TRACING_MODULE_FAILED: { side: 'operator', retryable: false, status: 500 },
  WORKER_DIED: { side: 'internal', retryable: true, status: 500 },

  // TLS with clients
  TLS_CERTIFICATE_INVALID: { side: 'operator', retryable: false, status: 500 },
  TLS_HANDSHAKE_FAILED: { side: 'downstream', retryable: false, status: 500 },
  TLS_HANDSHAKE_TIMEOUT: { side: 'downstream', retryable: false, status: 500 },
  TLS_NAME_UNKNOWN: { side: 'downstream', retryable: false, status: 500 },
  TLS_CLIENT_CERTIFICATE_INVALID: { side: 'downstream', retryable: false, status: 500 },

  // The apisix command
  HOME_UNUSABLE: { side: 'operator', retryable: false, status: 500 },
  GATEWAY_RUNNING: { side: 'operator', retryable: true, status: 500 },
  GATEWAY_NOT_RUNNING: { side: 'operator', retryable: false, status: 500 },
  GATEWAY_PID_INVALID: { side: 'operator', retryable: false, status: 500 },
  GATEWAY_SIGNAL_DENIED: { side: 'operator', retryable: false, status: 500 },
  GATEWAY_START_FAILED: { side: 'internal', retryable: false, status: 500 },
  GATEWAY_RELOAD_FAILED: { side: 'operator', retryable: true, status: 500 },
  GATEWAY_UPGRADE_FAILED: { side: 'operator', retryable: true, status: 500 },
  GATEWAY_UNRESPONSIVE: { side: 'internal', retryable: true, status: 500 },
  ADMIN_API_UNUSABLE: { side: 'operator', retryable: true, status: 500 },
  CONTROL_API_UNUSABLE: { side: 'operator', retryable: true, status: 500 },
  CONTROL_REQUEST_REFUSED: { side: 'operator', retryable: false, status: 400 },
  LOG_UNREADABLE: { side: 'operator', retryable: false, status: 500 },
  TRANSFER_FILE_UNUSABLE: { side: 'operator', retryable: false, status: 500 },
  IMPORT_STOPPED: { side: 'operator', retryable: true, status: 500 },

  // Sessions: why a connection ended
  LISTENER_FULL: { side: 'operator', retryable: true, status: 503 },
  LISTENER_RATE_EXCEEDED: { side: 'operator', retryable: true, status: 503 },
  PROXY_HEADER_MISSING: { side: 'downstream', retryable: false, status: 400 },
  PROXY_HEADER_MALFORMED: { side: 'downstream', retryable: false, status: 400 },
  PROXY_HEADER_TIMEOUT: { side: 'downstream', retryable: false, status: 400 },
  CLIENT_HELLO_MALFORMED: { side: 'downstream', retryable: false, status: 400 },
  CLIENT_HELLO_TIMEOUT: { side: 'downstream', retryable: false, status: 400 },
  ROUTE_NOT_FOUND: { side: 'operator', retryable: false, status: 404 },
  PLUGIN_REFUSED: { side: 'operator', retryable: false, status: 403 },
  UPSTREAM_NOT_CONFIGURED: { side: 'operator', retryable: false, status: 503 },
  UPSTREAM_NO_NODE: { side: 'operator', retryable: true, status: 503 },
  UPSTREAM_FULL: { side: 'operator', retryable: true, status: 503 },
  UPSTREAM_QUEUE_TIMEOUT: { side: 'operator', retryable: true, status: 503 },
  UPSTREAM_NAME_UNRESOLVED: { side: 'operator', retryable: true, status: 503 },
  UPSTREAM_CONNECT_REFUSED: { side: 'upstream', retryable: true, status: 502 },
  UPSTREAM_CONNECT_TIMEOUT: { side: 'upstream', retryable: true, status: 504 },
  UPSTREAM_SOURCE_UNAVAILABLE: { side: 'operator', retryable: true, status: 502 },
  UPSTREAM_CONNECT_FAILED: { side: 'upstream', retryable: true, status: 502 },
  GATEWAY_EXHAUSTED: { side: 'operator', retryable: true, status: 500 },
  UPSTREAM_TLS_HANDSHAKE_FAILED: { side: 'upstream', retryable: true, status: 502 },
  UPSTREAM_CERTIFICATE_INVALID: { side: 'upstream', retryable: true, status: 502 },
  UPSTREAM_RESET: { side: 'upstream', retryable: false, status: 502 },
  DOWNSTREAM_RESET: { side: 'downstream', retryable: false, status: 400 },
  UPSTREAM_LOST: { side: 'upstream', retryable: false, status: 502 },
  DOWNSTREAM_LOST: { side: 'downstream', retryable: false, status: 400 },
  SESSION_IDLE_TIMEOUT: { side: 'upstream', retryable: false, status: 502 },
  SESSION_MAX_AGE: { side: 'operator', retryable: true, status: 200 },
  SESSION_EVICTED: { side: 'operator', retryable: true, status: 200 },
  SESSION_CLOSED_BY_HEALTH_CHECK: { side: 'upstream', retryable: true, status: 502 },
  SESSION_CLOSED_BY_OPERATOR: { side: 'operator', retryable: true, status: 200 },
  SESSION_DRAINED: { side: 'operator', retryable: true, status: 200 },
  SESSION_CLOSED_BY_SHUTDOWN: { side: 'operator', retryable: false, status: 200 },
} as const;

export type ErrorCode = keyof typeof codes;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(codes, code);
}
