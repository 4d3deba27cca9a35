import { expect, test } from 'vitest';
import { streamCodeOf } from './stream-code.ts';

test.for([
  ['OK', 200],
  ['SESSION_CLOSED_BY_SHUTDOWN', 200],
  ['SESSION_MAX_AGE', 200],
  ['DOWNSTREAM_RESET', 400],
  ['DOWNSTREAM_LOST', 400],
  ['CLIENT_HELLO_MALFORMED', 400],
  ['UPSTREAM_RESET', 502],
  ['UPSTREAM_LOST', 502],
  ['UPSTREAM_CONNECT_REFUSED', 502],
  ['UPSTREAM_CONNECT_TIMEOUT', 502],
  ['SESSION_IDLE_TIMEOUT', 502],
  ['LISTENER_FULL', 503],
  ['UPSTREAM_NO_NODE', 503],
  ['ROUTE_NOT_FOUND', 500],
] as const)('a session that ends as %s is counted as %i', ([reason, code]) => {
  expect(streamCodeOf(reason)).toBe(code);
});
