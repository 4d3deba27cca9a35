import { connectPeer, eventually, startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { freeLoopbackAddress } from '../../testbed/loopback-address.ts';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { startLocalMysql } from '../../testbed/mysql-local.ts';
import { runOrFail } from '../../testbed/process.ts';
import { startRedis } from '../../testbed/redis-server.ts';
import type { RedisServer } from '../../testbed/redis-server.ts';

/** Probes of real servers, with what docs/config/health-checks.md says to send and expect. */
const often = {
  healthy: { interval: 1, successes: 1 },
  unhealthy: { interval: 1, tcp_failures: 1, timeouts: 1 },
};

let leaks: LeakCheck;
let gateway: GatewayInstallation;

beforeAll(async () => {
  leaks = openLeakCheck();
  gateway = await createGatewayInstallation();
  const port = gateway.streamPort;
  await gateway.configure(`proxy_mode: http&stream\nstream_proxy:\n  tcp: [${port}]\n  udp: [${port}]`);
  await gateway.apisixOk('start');
});

afterAll(async () => {
  await gateway.remove();
  expect(await leaks.leftovers()).toEqual([]);
});

/** Two nodes, the first of which serves while it is healthy. */
function firstOf(...servers: readonly string[]): readonly object[] {
  return servers.map((server, index) => {
    const [host, port] = server.split(':');
    return { host, port: Number(port), weight: 1, priority: -index };
  });
}

/** Waits until the nodes of the one upstream are in these states. */
async function untilStates(type: string, ...states: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    expect(await gateway.control('/healthcheck')).toMatchObject([
      { type, nodes: states.map((status) => ({ status })) },
    ]);
  }, eventually);
}

describe('Redis that answers PING', () => {
  let first: RedisServer;
  let second: RedisServer;

  beforeAll(async () => {
    [first, second] = await Promise.all([startRedis(), startRedis()]);
  });

  afterAll(async () => {
    await Promise.all([first.close(), second.close()]);
  });

  async function whoServes(): Promise<string> {
    const args = ['-p', String(gateway.streamPort), 'CONFIG', 'GET', 'port'];
    return (await runOrFail('redis-cli', args)).trim().split('\n').at(-1) ?? '';
  }

  test('gets sessions, and none while it connects and refuses to work', async () => {
    await gateway.put('/stream_routes/1', {
      upstream: {
        nodes: firstOf(first.server, second.server),
        checks: { active: { type: 'tcp', send: 'PING\r\n', expect: '+PONG', ...often } },
      },
    });
    await untilStates('tcp', 'healthy', 'healthy');
    expect(await whoServes()).toBe(String(first.port));

    await first.cli('CONFIG', 'SET', 'requirepass', 'secret');
    await untilStates('tcp', 'unhealthy', 'healthy');
    expect(await whoServes()).toBe(String(second.port));

    await first.cli('-a', 'secret', '--no-auth-warning', 'CONFIG', 'SET', 'requirepass', '');
    await untilStates('tcp', 'healthy', 'healthy');
    expect(await whoServes()).toBe(String(first.port));
  });
});

test('a client of Redis that hangs is told, where on_unhealthy says so', async () => {
  const [first, second] = await Promise.all([startRedis(), startRedis()]);
  try {
    await gateway.put('/upstreams/redis', {
      nodes: firstOf(first.server, second.server),
      checks: { active: { type: 'tcp', send: 'PING\r\n', expect: '+PONG', ...often } },
    });
    await gateway.put('/stream_routes/1', { upstream_id: 'redis' });
    const patched = await gateway.admin('PATCH', '/upstreams/redis', { checks: { on_unhealthy: 'close' } });
    await untilStates('tcp', 'healthy', 'healthy');
    const client = await connectPeer(gateway.streamPort);
    await client.send('PING\r\n');
    expect((await client.take(7)).toString()).toBe('+PONG\r\n');

    first.pause();
    await client.send('PING\r\n');

    expect(patched.status).toBe(200);
    expect(await client.rest()).toMatchObject({ bytes: 0, ending: 'end' });
    client.destroy();
    await untilStates('tcp', 'unhealthy', 'healthy');
    // The worker hands its line to the main thread, which may come after the client is told.
    await vi.waitFor(
      async () => expect(await gateway.errorLog()).toContain('code=SESSION_CLOSED_BY_HEALTH_CHECK'),
      eventually,
    );
    const again = await connectPeer(gateway.streamPort);
    await again.send('PING\r\n');
    expect((await again.take(7)).toString()).toBe('+PONG\r\n');
    again.destroy();
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

describe('a DNS server that answers a question', () => {
  let first: DnsServer;
  let second: DnsServer;

  beforeEach(async () => {
    [first, second] = await Promise.all([
      startDnsServer({ names: { 'who.test': ['192.0.2.1'] } }),
      startDnsServer({ names: { 'who.test': ['192.0.2.2'] } }),
    ]);
    return async () => {
      await Promise.all([first.close(), second.close()]);
    };
  });

  function dig(): Promise<string> {
    const port = String(gateway.streamPort);
    return runOrFail('dig', ['@127.0.0.1', '-p', port, '+tries=1', '+time=20', '+short', 'who.test']);
  }

  test('gets questions, and none while it is silent', async () => {
    await gateway.put('/stream_routes/1', {
      upstream: {
        nodes: firstOf(first.server, second.server),
        checks: {
          active: {
            type: 'udp',
            send: { hex: '1234 0100 0001 0000 0000 0000 00 0002 0001' },
            expect: { hex: '1234' },
            ...often,
          },
        },
      },
    });
    await untilStates('udp', 'healthy', 'healthy');
    expect(await dig()).toBe('192.0.2.1\n');

    first.pause();
    await untilStates('udp', 'unhealthy', 'healthy');
    expect(await dig()).toBe('192.0.2.2\n');

    first.resume();
    await untilStates('udp', 'healthy', 'healthy');
    expect(await dig()).toBe('192.0.2.1\n');
  });
});

test('MySQL is known by its greeting, and another server by its silence', async () => {
  const address = await freeLoopbackAddress(3306);
  const redis = await startRedis();
  let stopMysql: (() => Promise<void>) | undefined;
  try {
    await gateway.put('/stream_routes/1', {
      upstream: {
        nodes: firstOf(`${address.host}:${address.port}`, redis.server),
        checks: { active: { type: 'tcp', expect: { hex: '00 0a', match: 'anywhere' }, ...often } },
      },
    });
    await untilStates('tcp', 'unhealthy', 'unhealthy');

    stopMysql = await startLocalMysql(address);

    await untilStates('tcp', 'healthy', 'unhealthy');
  } finally {
    await Promise.all([stopMysql?.(), redis.close()]);
  }
});
