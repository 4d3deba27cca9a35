import { codes } from '@apisix-ts/errors';

/** How sessions end: `OK`, or the code of the error that ended them. Workers count by position: new ones go last. */
export const sessionReasons = [
  'OK',
  'ROUTE_NOT_FOUND',
  'UPSTREAM_NOT_CONFIGURED',
  'UPSTREAM_NO_NODE',
  'UPSTREAM_CONNECT_REFUSED',
  'UPSTREAM_CONNECT_TIMEOUT',
  'UPSTREAM_CONNECT_FAILED',
  'UPSTREAM_RESET',
  'UPSTREAM_LOST',
  'DOWNSTREAM_RESET',
  'DOWNSTREAM_LOST',
  'SESSION_IDLE_TIMEOUT',
  'SESSION_CLOSED_BY_SHUTDOWN',
  'PROXY_HEADER_MISSING',
  'PROXY_HEADER_MALFORMED',
  'PROXY_HEADER_TIMEOUT',
  'CLIENT_HELLO_MALFORMED',
  'CLIENT_HELLO_TIMEOUT',
  'TLS_NAME_UNKNOWN',
  'TLS_CERTIFICATE_INVALID',
  'TLS_CLIENT_CERTIFICATE_INVALID',
  'TLS_HANDSHAKE_FAILED',
  'TLS_HANDSHAKE_TIMEOUT',
  'UPSTREAM_TLS_HANDSHAKE_FAILED',
  'UPSTREAM_CERTIFICATE_INVALID',
  'SESSION_EVICTED',
  'GATEWAY_EXHAUSTED',
  'SESSION_CLOSED_BY_HEALTH_CHECK',
  'LISTENER_FULL',
  'LISTENER_RATE_EXCEEDED',
  'UPSTREAM_FULL',
  'UPSTREAM_QUEUE_TIMEOUT',
  'SESSION_MAX_AGE',
  'UPSTREAM_SOURCE_UNAVAILABLE',
  'SESSION_CLOSED_BY_OPERATOR',
  'SESSION_DRAINED',
  'PLUGIN_REFUSED',
] as const;

export type SessionReason = (typeof sessionReasons)[number];

/** What is logged: an end that was asked for is none. */
export function isFailure(reason: SessionReason): boolean {
  return !wantedEnds.has(reason);
}

/** 200 for a session that ended as it should, otherwise the status of the error. */
export function statusOf(reason: SessionReason): number {
  return reason === 'OK' ? 200 : codes[reason].status;
}

const wantedEnds: ReadonlySet<SessionReason> = new Set<SessionReason>([
  'OK',
  'SESSION_MAX_AGE',
  'SESSION_CLOSED_BY_OPERATOR',
  'SESSION_DRAINED',
]);

const knownReasons: ReadonlySet<string> = new Set(sessionReasons);

/** The parts of a session report only codes that sessions end with; anything else is a defect. */
export function reasonOf(code: string | undefined): SessionReason {
  if (code === undefined) return 'OK';
  if (!knownReasons.has(code)) throw new TypeError(`a session cannot end with ${code}`);
  return code as SessionReason; // just looked up
}
