import type { HealthChecks } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import { compileChecks } from './check-plan.ts';
import { hostHeaderOf, serverNameOf, unsendableHeaders } from './http-probe-plan.ts';
import { checksOf } from '../testing/checks-of.ts';

describe('what the checks leave out', () => {
  test('is counted with the defaults of the schema', () => {
    const absent = compileChecks(checksOf({ active: {}, passive: {} }));
    const empty = compileChecks(
      checksOf({ active: { healthy: {}, unhealthy: {} }, passive: { healthy: {}, unhealthy: {} } }),
    );

    expect(absent.thresholds).toEqual(empty.thresholds);
    expect(absent.probe).toEqual(empty.probe);
  });

  test('is a state whose nodes are not probed', () => {
    expect(compileChecks(checksOf({ active: { healthy: {} } })).intervalMs).toEqual({ healthy: 1000 });
    expect(compileChecks(checksOf({ active: { unhealthy: { interval: 3 } } })).intervalMs).toEqual({
      unhealthy: 3000,
    });
  });

  test('lets sessions be counted without passive checks, where a probe can undo it', () => {
    const { thresholds } = compileChecks(checksOf({ active: { unhealthy: {} } }));

    expect(thresholds.passive).toEqual({ success: 5, tcp_failure: 2, http_failure: 5, timeout: 7 });
  });

  test('lets nothing be counted without passive checks, where no probe could undo it', () => {
    const { thresholds } = compileChecks(checksOf({ active: { healthy: {} } }));

    expect(thresholds.passive).toEqual({ success: 0, tcp_failure: 0, http_failure: 0, timeout: 0 });
  });
});

describe('passive checks', () => {
  test('are counted as configured, also where no probe undoes them', () => {
    const { thresholds } = compileChecks(
      checksOf({ active: {}, passive: { unhealthy: { tcp_failures: 1, timeouts: 0 } } }),
    );

    expect(thresholds.passive).toMatchObject({ tcp_failure: 1, timeout: 0 });
  });
});

test.for([
  [0, 1000],
  [-3, 1000],
  [0.5, 500],
] as const)('a time-out of %d s is one of %d ms', ([timeout, timeoutMs]) => {
  expect(compileChecks(checksOf({ active: { timeout } })).timeoutMs).toBe(timeoutMs);
});

test.for([-1, 0, 1])('a concurrency of %d is one probe at a time', (concurrency) => {
  expect(compileChecks(checksOf({ active: { concurrency } })).concurrency).toBe(1);
});

describe('the request of an http probe', () => {
  test('takes its host from req_headers, then from the upstream, then from the checks', () => {
    const named = { host: 'checks.test' };
    const own = { ...named, req_headers: ['HOST: header.test'] };

    expect(http(checksOf({ active: {} })).host).toBeUndefined();
    expect(http(checksOf({ active: named })).host).toBe('checks.test');
    expect(http(checksOf({ active: named }), 'upstream.test').host).toBe('upstream.test');
    expect(http(checksOf({ active: own }), 'upstream.test').host).toBe('header.test');
  });

  test('carries the given headers, and its own once', () => {
    const { headers } = http(
      checksOf({
        active: {
          http_method: 'PUT',
          http_req_body: 'ü',
          req_headers: ['X-A: 1:2', 'connection: keep-alive', 'X-A:3', 'no colon', 'bad name: x', 'X-B: ☃'],
        },
      }),
    );

    expect(headers).toEqual(['Connection', 'close', 'X-A', '1:2', 'X-A', '3', 'Content-Length', '2']);
  });

  test('leaves out headers that cannot be sent, and names them', () => {
    const { active } = checksOf({ active: { req_headers: ['X-A: 1', 'no colon', 'bad name: x', 'X-B: ☃'] } });

    expect(unsendableHeaders(active)).toEqual(['no colon', 'bad name: x', 'X-B: ☃']);
  });

  test('has its path escaped where a request line needs it', () => {
    expect(http(checksOf({ active: { http_path: '/a b/ü?q=%20\n' } })).path).toBe('/a%20b/%C3%BC?q=%20%0A');
  });
});

test('silence is a time-out, but for a udp probe that expects no answer', () => {
  const silenceOf = (active: object): string => compileChecks(checksOf({ active })).silence;

  expect(silenceOf({ type: 'tcp' })).toBe('timeout');
  expect(silenceOf({ type: 'tcp', expect: 'x' })).toBe('timeout');
  expect(silenceOf({ type: 'udp', expect: 'x' })).toBe('timeout');
  expect(silenceOf({ type: 'udp' })).toBe('success');
});

test.for([
  ['db.test', 'db.test', 'db.test'],
  ['db.test:8443', 'db.test:8443', 'db.test'],
  ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]', '[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:443', '[2001:db8::1]:443', '2001:db8::1'],
] as const)('%s is sent as Host %s and verified as %s', ([host, header, name]) => {
  expect(hostHeaderOf(host)).toBe(header);
  expect(serverNameOf(host)).toBe(name);
});

function http(checks: HealthChecks, hostHeader?: string): Extract<HttpPlan, { type: 'http' | 'https' }> {
  const { probe } = compileChecks(checks, hostHeader);
  if (probe.type === 'tcp' || probe.type === 'udp')
    throw new TypeError(`the checks are of type ${probe.type}`);
  return probe;
}

type HttpPlan = ReturnType<typeof compileChecks>['probe'];
