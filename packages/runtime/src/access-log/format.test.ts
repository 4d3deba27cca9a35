import { describe, expect, test } from 'vitest';
import { compileAccessLog } from './format.ts';
import { testSession } from '../testing/test-session.ts';
import type { VariableSource } from '../variables/variable-source.ts';

function line(format: string, changes: Partial<VariableSource> = {}): string {
  return compileAccessLog(format, 'default')(testSession(changes));
}

describe('a line', () => {
  test('of the default format is as nginx writes it', () => {
    const format = '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time';

    expect(line(format)).toMatch(
      /^192\.0\.2\.7 \[\d\d\/\w{3}\/2026:\d\d:\d\d:05 [+-]\d{4}\] TCP 200 20 10 1\.23[45]\n$/,
    );
  });

  test.for([
    ['${server_addr}:${server_port}', '198.51.100.1:9100'],
    ['$service_id $mqtt_client_id', '- -'],
    ['$absent $', '- $'],
    ['no variable', 'no variable'],
  ] as const)('of %s is %s', ([format, expected]) => {
    expect(line(format)).toBe(`${expected}\n`);
  });

  test('has the local time with its zone', () => {
    expect(line('$time_iso8601')).toMatch(/^2026-11-2\dT\d\d:\d\d:05[+-]\d\d:\d\d\n$/);
  });

  test('of a failed session has the status of its error, and no upstream', () => {
    const ending = { reason: 'UPSTREAM_CONNECT_REFUSED', status: 502, atMs: 0 } as const;
    const failed = { ending, upstreamTransfer: undefined };

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
    const text = compileAccessLog(format, 'json')(testSession({ serverName: 'a"\n\\é' }));

    expect(JSON.parse(text)).toEqual({ name: 'a"\n\\é', service: '', bytes: 20 });
  });
});
