import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { testSession } from '../testing/test-session.ts';
import { compileHashKey } from './hash-key.ts';

const session = testSession({ ownVariables: new Map([['mqtt_client_id', 'sensor']]) });

test.for([
  ['vars', 'remote_addr', '192.0.2.7'],
  ['vars', 'remote_port', '4711'],
  ['vars', 'server_addr', '198.51.100.1'],
  ['vars', 'hostname', hostname()],
  ['vars', 'mqtt_client_id', 'sensor'],
  ['vars_combinations', '$remote_addr$remote_port', '192.0.2.74711'],
  ['vars_combinations', '${server_addr}:$server_port', '198.51.100.1:9100'],
  ['vars_combinations', '$remote_port-$absent', '4711-'],
] as const)('%s %s is %s', ([on, key, expected]) => {
  expect(compileHashKey({ on, key })(session)).toBe(expected);
});

test.for([
  ['vars', undefined],
  ['vars', 'uri'],
  ['vars', 'other_client_id'],
  ['vars', 'service_name'],
  ['vars_combinations', '$absent'],
  ['vars_combinations', 'constant'],
  ['header', 'x-user'],
  ['cookie', 'session'],
  ['consumer', undefined],
] as const)('%s %s has no value here, so the client address is hashed', ([on, key]) => {
  expect(compileHashKey({ on, ...(key && { key }) })(session)).toBe('192.0.2.7');
});
