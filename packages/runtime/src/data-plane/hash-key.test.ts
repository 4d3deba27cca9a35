import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { compileHashKey } from './hash-key.ts';

const session = {
  remoteAddress: '192.0.2.1',
  remotePort: 40_000,
  serverAddress: '198.51.100.2',
  serverPort: 9100,
};

test.for([
  ['vars', 'remote_addr', '192.0.2.1'],
  ['vars', 'remote_port', '40000'],
  ['vars', 'server_addr', '198.51.100.2'],
  ['vars', 'hostname', hostname()],
  ['vars_combinations', '$remote_addr$remote_port', '192.0.2.140000'],
  ['vars_combinations', '${server_addr}:$server_port', '198.51.100.2:9100'],
  ['vars_combinations', '$remote_port-$absent', '40000-'],
] as const)('%s %s is %s', ([on, key, expected]) => {
  expect(compileHashKey({ on, key })(session)).toBe(expected);
});

test.for([
  ['vars', undefined],
  ['vars', 'uri'],
  ['vars', 'mqtt_client_id'],
  ['vars_combinations', '$absent'],
  ['vars_combinations', 'constant'],
  ['header', 'x-user'],
  ['cookie', 'session'],
  ['consumer', undefined],
] as const)('%s %s has no value here, so the client address is hashed', ([on, key]) => {
  expect(compileHashKey({ on, ...(key && { key }) })(session)).toBe('192.0.2.1');
});
