import { describe, expect, test } from 'vitest';
import { compileAccessLog } from './format.ts';
import type { SessionRecord } from './session-record.ts';

const record: SessionRecord = {
  connection: 7,
  protocol: 'TCP',
  endedAt: Date.UTC(2026, 10, 23, 3, 4, 5, 678),
  durationMs: 1234.5,
  listener: '0.0.0.0:9100',
  remoteAddress: '192.0.2.7',
  remotePort: 4711,
  peerAddress: '10.0.0.1',
  peerPort: 40_000,
  serverAddress: '198.51.100.1',
  serverPort: 9100,
  serverName: undefined,
  reason: 'OK',
  bytesReceived: 10,
  bytesSent: 20,
  routeId: 'r',
  serviceId: undefined,
  upstreams: ['192.0.2.1:3306', '192.0.2.2:3306'],
  node: { address: '192.0.2.2', port: 3306 },
  upstream: { connectMs: 1.6, sessionMs: 1230, bytesReceived: 20, bytesSent: 10 },
};

function line(format: string, changes: Partial<SessionRecord> = {}): string {
  return compileAccessLog(format, 'default')({ ...record, ...changes });
}

describe('a line', () => {
  test('of the default format is as nginx writes it', () => {
    const format = '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time';

    expect(line(format)).toMatch(
      /^192\.0\.2\.7 \[\d\d\/\w{3}\/2026:\d\d:\d\d:05 [+-]\d{4}\] TCP 200 20 10 1\.23[45]\n$/,
    );
  });

  test.for([
    ['$remote_port $realip_remote_addr:$realip_remote_port', '4711 10.0.0.1:40000'],
    ['${server_addr}:${server_port} $stream_listen_addr', '198.51.100.1:9100 0.0.0.0:9100'],
    ['$protocol', 'TCP'],
    ['$upstream_addr', '192.0.2.1:3306, 192.0.2.2:3306'],
    [
      '$balancer_ip $balancer_port $upstream_connect_time $upstream_session_time',
      '192.0.2.2 3306 0.002 1.230',
    ],
    ['$upstream_bytes_sent $upstream_bytes_received', '10 20'],
    ['$route_id $service_id $connection $session_reason', 'r - 7 OK'],
    ['$msec', '1795403045.678'],
    ['$absent $', '- $'],
    ['no variable', 'no variable'],
  ] as const)('of %s is %s', ([format, expected]) => {
    expect(line(format)).toBe(`${expected}\n`);
  });

  test('has the local time with its zone', () => {
    expect(line('$time_iso8601')).toMatch(/^2026-11-2\dT\d\d:\d\d:05[+-]\d\d:\d\d\n$/);
  });

  test('of a failed session has the status of its error, and no upstream', () => {
    const failed = { reason: 'UPSTREAM_CONNECT_REFUSED', upstream: undefined } as const;

    expect(line('$status $session_reason $upstream_connect_time', failed)).toBe(
      '502 UPSTREAM_CONNECT_REFUSED -\n',
    );
  });

  test('cannot be broken by what a client sends', () => {
    expect(line('"$ssl_preread_server_name"', { serverName: 'a"\n\\é' })).toBe(
      '"a\\x22\\x0A\\x5C\\xC3\\xA9"\n',
    );
  });

  test('in JSON form is JSON', () => {
    const format = '{"name":"$ssl_preread_server_name","service":"$service_id","bytes":$bytes_sent}';
    const text = compileAccessLog(format, 'json')({ ...record, serverName: 'a"\n\\é' });

    expect(JSON.parse(text)).toEqual({ name: 'a"\n\\é', service: '', bytes: 20 });
  });
});
