import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, createServer } from 'node:tls';
import type { Server } from 'node:tls';
import { freePort, makeCertificate, openEcho, openSource, startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { startTraffic } from '../../testbed/traffic.ts';

let leaks: LeakCheck;
let gateway: GatewayInstallation;
let dns: DnsServer;
/** Each sends its name to whoever connects. */
let own: TestServer;
let stable: TestServer;
let canary: TestServer;
let otherPort: number;
let namesPort: number;

/** One worker, whose turns can be counted. */
beforeAll(async () => {
  leaks = openLeakCheck();
  [own, stable, canary] = await Promise.all([openNamed('own'), openNamed('stable'), openNamed('canary')]);
  dns = await startDnsServer({ names: { 'canary.test': ['127.0.0.1'] } });
  [otherPort, namesPort] = await Promise.all([freePort(), freePort()]);
  gateway = await createGatewayInstallation();
  await gateway.configure(`proxy_mode: http&stream
enable_reuseport: false
dns_resolver: ["${dns.server}"]
stream_proxy:
  tcp:
    - "127.0.0.1:${gateway.streamPort}"
    - "127.0.0.1:${otherPort}"
    - { addr: "127.0.0.1:${namesPort}", tls_passthrough: true }`);
  await gateway.apisixOk('start');
  await gateway.put('/upstreams/stable', { nodes: at(stable) });
  await gateway.put('/upstreams/canary', { nodes: at(canary) });
});

afterAll(async () => {
  await gateway.remove();
  await Promise.all([dns, own, stable, canary].map((server) => server.close()));
  expect(await leaks.leftovers()).toEqual([]);
});

function openNamed(name: string): Promise<TestServer> {
  return openSource(Buffer.from(name));
}

function at({ port }: Pick<TestServer, 'port'>): object {
  return { [`127.0.0.1:${port}`]: 1 };
}

interface Rule {
  readonly match?: readonly { readonly vars: readonly unknown[] }[];
  readonly weighted_upstreams: readonly object[];
}

/** A route to the server `own`, with these rules. */
function route(...rules: readonly Rule[]): object {
  return { plugins: { 'traffic-split': { rules } }, upstream: { nodes: at(own) } };
}

const toCanary = { weighted_upstreams: [{ upstream_id: 'canary' }] };

/** The name of the server that a client reaches; empty when it is closed without a byte. */
function whoAnswers(port = gateway.streamPort, localAddress = '127.0.0.1'): Promise<string> {
  return text(connect({ port, host: '127.0.0.1', localAddress }));
}

/** The names that so many clients find, one after the other, in the order of the alphabet. */
async function whoAnswerThem(count: number): Promise<readonly string[]> {
  const names: string[] = [];
  while (names.length < count) names.push(await whoAnswers());
  return names.toSorted();
}

function times(count: number, name: string): readonly string[] {
  return Array.from({ length: count }, () => name);
}

describe('weights', () => {
  test('of 10 sessions exactly 9 and 1 go to upstreams of weights 9 and 1', async () => {
    await gateway.put(
      '/stream_routes/1',
      route({
        weighted_upstreams: [
          { upstream_id: 'stable', weight: 9 },
          { upstream_id: 'canary', weight: 1 },
        ],
      }),
    );

    expect(await whoAnswerThem(10)).toEqual(['canary', ...times(9, 'stable')]);
    expect(await whoAnswerThem(10)).toEqual(['canary', ...times(9, 'stable')]);
  });

  test('an entry with a weight alone is the upstream of the route', async () => {
    await gateway.put(
      '/stream_routes/1',
      route({ weighted_upstreams: [{ upstream_id: 'canary', weight: 1 }, { weight: 3 }] }),
    );

    expect(await whoAnswerThem(8)).toEqual([...times(2, 'canary'), ...times(6, 'own')]);
  });

  test('nothing goes to what has the weight 0', async () => {
    await gateway.put(
      '/stream_routes/1',
      route({ weighted_upstreams: [{ upstream_id: 'canary', weight: 0 }, { upstream_id: 'stable' }] }),
    );

    expect(await whoAnswerThem(5)).toEqual(times(5, 'stable'));
  });
});

describe('an upstream within a rule', () => {
  const within = (port: number, more: object = {}): object =>
    route({
      weighted_upstreams: [{ upstream: { nodes: [{ host: 'canary.test', port, weight: 1 }], ...more } }],
    });

  test('may have a name, and is followed like any other', async () => {
    await gateway.put('/stream_routes/1', within(canary.port));
    expect(await whoAnswers()).toBe('canary');

    await gateway.put('/stream_routes/1', within(stable.port));
    expect(await whoAnswers()).toBe('stable');
  });

  test('is probed, and the probes end with it', async () => {
    const checks = { active: { type: 'tcp', healthy: { interval: 1, successes: 1 } } };
    const name = '/apisix/stream_routes/1/plugins/traffic-split/rules/0/weighted_upstreams/0';

    await gateway.put('/stream_routes/1', within(canary.port, { checks }));
    await expect
      .poll(() => gateway.control('/healthcheck'))
      .toMatchObject([{ name, nodes: [{ port: canary.port, status: 'healthy' }] }]);

    await gateway.put('/stream_routes/1', route());
    expect(await gateway.control('/healthcheck')).toEqual([]);
  });

  test('is all that a route needs', async () => {
    await gateway.put('/stream_routes/1', {
      plugins: {
        'traffic-split': { rules: [{ weighted_upstreams: [{ upstream: { nodes: at(canary) } }] }] },
      },
    });

    expect(await whoAnswers()).toBe('canary');
  });
});

describe('a match', () => {
  test('by route', async () => {
    const split = { rules: [{ match: [{ vars: [['route_id', '==', 3]] }], ...toCanary }] };
    await gateway.put('/services/all', {
      plugins: { 'traffic-split': split },
      upstream: { nodes: at(own) },
    });
    await gateway.put('/stream_routes/1', { server_port: gateway.streamPort, service_id: 'all' });
    await gateway.put('/stream_routes/3', { server_port: otherPort, service_id: 'all' });

    expect(await whoAnswers()).toBe('own');
    expect(await whoAnswers(otherPort)).toBe('canary');
    await gateway.admin('DELETE', '/stream_routes/3');
  });

  test('by client', async () => {
    await gateway.put(
      '/stream_routes/1',
      route({ match: [{ vars: [['remote_addr', 'ipmatch', ['127.0.0.8/30']]] }], ...toCanary }),
    );

    expect(await whoAnswers()).toBe('own');
    expect(await whoAnswers(gateway.streamPort, '127.0.0.9')).toBe('canary');
  });

  test('by port', async () => {
    await gateway.put(
      '/stream_routes/1',
      route({ match: [{ vars: [['server_port', 'in', [otherPort]]] }], ...toCanary }),
    );

    expect(await whoAnswers()).toBe('own');
    expect(await whoAnswers(otherPort)).toBe('canary');
  });

  test('by the name that a client of TLS asks for', async () => {
    const { cert, key } = await makeCertificate({ names: ['a.test', 'b.canary.test'] });
    const [first, second] = await Promise.all([
      openTlsSource('first', { cert, key }),
      openTlsSource('second', { cert, key }),
    ]);
    await gateway.put('/stream_routes/names', {
      server_port: namesPort,
      plugins: {
        'traffic-split': {
          rules: [
            {
              match: [{ vars: [['ssl_preread_server_name', '~~', String.raw`^([a-z]+\.)+canary\.test$`]] }],
              weighted_upstreams: [{ upstream: { nodes: at(portOf(second)) } }],
            },
          ],
        },
      },
      upstream: { nodes: at(portOf(first)) },
    });
    const ask = (servername: string): Promise<string> =>
      text(connectTls({ port: namesPort, host: '127.0.0.1', servername, ca: cert }));

    expect(await ask('a.test')).toBe('first');
    expect(await ask('b.canary.test')).toBe('second');

    await gateway.admin('DELETE', '/stream_routes/names');
    for (const server of [first, second]) await server[Symbol.asyncDispose]();
  });

  test('of the first rule for which it holds', async () => {
    const from = (address: string): NonNullable<Rule['match']> => [
      { vars: [['remote_addr', '==', '127.0.0.99']] },
      { vars: ['AND', ['remote_addr', '==', address], ['server_port', '!', '==', otherPort]] },
    ];
    await gateway.put(
      '/stream_routes/1',
      route(
        { match: from('127.0.0.9'), ...toCanary },
        { match: from('127.0.0.10'), weighted_upstreams: [{ weight: 1 }] },
        { weighted_upstreams: [{ upstream_id: 'stable' }] },
      ),
    );

    expect(await whoAnswers(gateway.streamPort, '127.0.0.9')).toBe('canary');
    expect(await whoAnswers(gateway.streamPort, '127.0.0.10')).toBe('own');
    expect(await whoAnswers(otherPort, '127.0.0.9')).toBe('stable');
  });

  test('with `_meta.filter`, the plugin only looks at some sessions', async () => {
    await gateway.put('/stream_routes/1', {
      plugins: {
        'traffic-split': { rules: [toCanary], _meta: { filter: [['remote_addr', '~=', '127.0.0.1']] } },
      },
      upstream: { nodes: at(own) },
    });

    expect(await whoAnswers()).toBe('own');
    expect(await whoAnswers(gateway.streamPort, '127.0.0.9')).toBe('canary');
  });
});

describe('what a rule names', () => {
  test('has to exist, and is not deleted', async () => {
    await gateway.put('/stream_routes/1', route(toCanary));

    expect(
      await gateway.admin('PUT', '/stream_routes/1', route({ weighted_upstreams: [{ upstream_id: 'no' }] })),
    ).toMatchObject({
      status: 400,
      body: { error_msg: 'failed to fetch upstream info by upstream id [no], response code: 404' },
    });
    expect(await gateway.admin('DELETE', '/upstreams/canary')).toMatchObject({
      status: 400,
      body: { error_msg: 'can not delete this upstream, plugin in stream_route [1] is still using it now' },
    });
    expect(await whoAnswers()).toBe('canary');
  });

  test('costs those sessions whose turn it is, when it was deleted all the same', async () => {
    await gateway.put('/upstreams/short', { nodes: at(canary) });
    await gateway.put(
      '/stream_routes/1',
      route({ weighted_upstreams: [{ upstream_id: 'short' }, { upstream_id: 'stable' }] }),
    );
    await gateway.admin('DELETE', '/upstreams/short?force=true');
    await gateway.put('/upstreams/stable', { nodes: at(stable) });

    expect(await whoAnswerThem(4)).toEqual(['', '', 'stable', 'stable']);
    await expect
      .poll(() => gateway.errorLog())
      .toContain('failed to fetch upstream info by upstream id: short');
  });
});

test('a change of weights loses nothing', async () => {
  const echoes = await Promise.all([openEcho(), openEcho()]);
  const split = (weight: number): object => ({
    server_port: otherPort,
    plugins: {
      'traffic-split': {
        rules: [
          {
            weighted_upstreams: [{ upstream: { nodes: at(echoes[0]) }, weight: 100 - weight }, { weight }],
          },
        ],
      },
    },
    upstream: { nodes: at(echoes[1]) },
  });
  await gateway.put('/stream_routes/shifting', split(0));
  const traffic = await startTraffic(otherPort, { sessions: 50, comingsPerSecond: 50 });

  for (let weight = 1; weight <= 100; weight++) {
    expect(await gateway.admin('PUT', '/stream_routes/shifting', split(weight))).toMatchObject({
      status: 200,
    });
    if (weight % 10 === 0) await traffic.flows(5);
  }
  await gateway.put('/stream_routes/shifting', {
    server_port: otherPort,
    upstream: { nodes: at(echoes[1]) },
  });
  await traffic.flows(10);
  const { failures } = await traffic.stop();

  await Promise.all(echoes.map((echo) => echo.close()));
  expect(failures).toEqual([]);
});

async function openTlsSource(name: string, pair: { cert: string; key: string }): Promise<Server> {
  const server = createServer(pair, (socket) => socket.end(name));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

function portOf(server: Server): { readonly port: number } {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the server does not listen');
  return address;
}
