import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { testSession } from '../testing/test-session.ts';
import { compileVariable, variableOf } from './variables.ts';

const session = testSession({
  proxied: {
    source: { address: '203.0.113.9', port: 1024 },
    destination: { address: '203.0.113.10', port: 443 },
  },
  serverName: 'db.test',
  alpn: ['h2', 'mqtt'],
  route: { id: 'r', name: 'orders', serviceId: 's' },
  serviceName: 'shop',
  ownVariables: new Map([
    ['mqtt_client_id', 'sensor'],
    ['remote_addr', 'not this one'],
  ]),
});

test.for([
  ['remote_addr', '192.0.2.7'],
  ['remote_port', 4711],
  ['realip_remote_addr', '10.0.0.1'],
  ['realip_remote_port', 40_000],
  ['proxy_protocol_addr', '203.0.113.9'],
  ['proxy_protocol_port', 1024],
  ['proxy_protocol_server_addr', '203.0.113.10'],
  ['proxy_protocol_server_port', 443],
  ['server_addr', '198.51.100.1'],
  ['server_port', 9100],
  ['stream_listen_addr', '0.0.0.0:9100'],
  ['protocol', 'TCP'],
  ['ssl_preread_server_name', 'db.test'],
  ['ssl_preread_alpn_protocols', 'h2,mqtt'],
  ['connection', 7],
  ['route_id', 'r'],
  ['route_name', 'orders'],
  ['service_id', 's'],
  ['service_name', 'shop'],
  ['bytes_received', 10],
  ['bytes_sent', 20],
  ['status', 200],
  ['session_reason', 'OK'],
  ['balancer_ip', '192.0.2.2'],
  ['balancer_port', 3306],
  ['upstream_addr', '192.0.2.1:3306, 192.0.2.2:3306'],
  ['upstream_connect_time', '0.002'],
  ['upstream_session_time', '1.230'],
  ['upstream_bytes_received', 20],
  ['upstream_bytes_sent', 10],
  ['hostname', hostname()],
  ['pid', process.pid],
  ['msec', '1795403045.678'],
  ['mqtt_client_id', 'sensor'],
  ['uri', undefined],
] as const)('%s is %s', ([name, value]) => {
  expect(variableOf(session, name)).toBe(value);
  expect(compileVariable(name)(session)).toBe(value);
});

test.for([
  ['192.0.2.7', 'c0000207'],
  ['0.0.0.1', '00000001'],
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
])('the bytes of %s are %s', ([remoteAddress = '', hex]) => {
  const bytes = variableOf(testSession({ remoteAddress }), 'binary_remote_addr');

  expect(Buffer.from(String(bytes), 'latin1').toString('hex')).toBe(hex);
});

test('a session that is under way has no status, and the present time', () => {
  const underWay = testSession({ ending: undefined, upstreamTransfer: undefined, attempts: [] });
  const beforeMs = Date.now();

  expect(['status', 'session_reason', 'upstream_addr', 'upstream_connect_time'].map(read)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
  expect(Number(read('msec')) * 1000).toBeGreaterThanOrEqual(beforeMs);

  function read(name: string): string | number | undefined {
    return variableOf(underWay, name);
  }
});
