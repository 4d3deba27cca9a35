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
] as const;

export type SessionReason = (typeof sessionReasons)[number];
