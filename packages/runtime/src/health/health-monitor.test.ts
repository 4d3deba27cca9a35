import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { DatagramPeer, FakeClock, countDescriptors, freePort, openServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checksOf } from '../testing/checks-of.ts';
import type { NodeHealth } from './checked-upstream.ts';
import { HealthMonitor } from './health-monitor.ts';
import type { HealthMonitorOptions } from './health-monitor.ts';
import type { ProbedNode } from './probed-node.ts';

/** The wheel is late by up to two ticks. Milliseconds. */
const LATE = 200;

/** A monitor on a clock of its own, whose first probes are due at once. */
function openMonitor(options: Partial<HealthMonitorOptions> = {}) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const lines: unknown[] = [];
  const monitor = new HealthMonitor({
    clock,
    random: () => 0,
    onChange: (key, { host, port }, isHealthy) => {
      changes.push(`${key} ${host}:${port} ${isHealthy ? 'healthy' : 'unhealthy'}`);
    },
    log: (level, message, fields) => void lines.push({ level, message, fields }),
    ...options,
  });
  onTestFinished(() => monitor.close());
  const nodeOf = (key: string, index = 0): NodeHealth | undefined => monitor.statusOf(key)?.nodes[index];
  return { monitor, clock, changes, lines, nodeOf };
}

/** A server that takes every connection, and counts. It says nothing. */
async function openCounting() {
  const counts = { connections: 0, ended: 0 };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    counts.connections += 1;
    open.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => {
        counts.ended += 1;
        open.delete(socket);
      });
    socket.resume();
  });
  /** Cuts the oldest connection. */
  const cutOne = (): void => {
    const [oldest] = open;
    oldest?.resetAndDestroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return { counts, port: address.port, cutOne };
}

function at(port: number, host = '127.0.0.1'): ProbedNode {
  return { host, address: '127.0.0.1', port };
}

/** Lets sockets work until the claim holds. */
async function until(claim: () => boolean): Promise<void> {
  while (!claim()) await turn();
}

/** Lets everything happen that can happen now. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const tcp = (fields: object = {}) =>
  checksOf({ active: { type: 'tcp', healthy: {}, unhealthy: {}, ...fields } });

test('a udp node that is silent is healthy where no answer is expected, and a time-out where one is', async () => {
  const silent = await DatagramPeer.open();
  onTestFinished(() => silent.close());
  const { monitor, clock, nodeOf } = openMonitor();
  const checks = (fields: object) =>
    checksOf({ active: { type: 'udp', healthy: { successes: 1 }, unhealthy: { timeouts: 2 }, ...fields } });
  monitor.follow('any', { checks: checks({}), nodes: [at(silent.port)] });
  monitor.follow('answer', { checks: checks({ expect: 'x' }), nodes: [at(silent.port)] });
  clock.advance(LATE);
  await Promise.all([silent.take(), silent.take()]);

  // A session's failure, which the silence of the probe undoes.
  monitor.reportPassive('any', at(silent.port), 'tcp_failure');
  expect(nodeOf('any')).toMatchObject({ status: 'mostly_healthy', counter: { tcp_failure: 1 } });

  clock.advance(1000 + LATE);
  await until(() => nodeOf('any')?.status === 'healthy');
  await until(() => nodeOf('answer')?.counter.timeout_failure === 1);

  expect(nodeOf('any')).toMatchObject({ counter: { timeout_failure: 0, tcp_failure: 0 } });
});

describe('a followed upstream', () => {
  test('starts healthy, with nothing counted, in the shape of the Control API', () => {
    const { monitor } = openMonitor();

    monitor.follow('upstreams/1', {
      checks: checksOf({ active: { host: 'checks.test', port: 8080 } }),
      nodes: [at(80, 'a.test')],
      hostHeader: 'rewritten.test',
    });

    expect([...monitor.status()]).toEqual([
      {
        name: 'upstreams/1',
        type: 'http',
        nodes: [
          {
            ip: '127.0.0.1',
            port: 80,
            hostname: 'checks.test',
            hostheader: 'rewritten.test',
            status: 'healthy',
            counter: { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 },
          },
        ],
      },
    ]);
  });

  test('loses a node at the threshold of refused probes, and gets it back when it answers', async () => {
    const { monitor, clock, changes, lines, nodeOf } = openMonitor();
    const port = await freePort();
    monitor.follow('u', { checks: tcp(), nodes: [at(port, 'db.test')] });

    clock.advance(LATE);
    await until(() => nodeOf('u')?.counter.tcp_failure === 1);
    expect(nodeOf('u')).toMatchObject({ status: 'mostly_healthy' });
    clock.advance(1000);
    await until(() => changes.length === 1);
    const server = createServer((socket) => void socket.on('error', () => {}).resume());
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    clock.advance(1000);
    await until(() => nodeOf('u')?.status === 'mostly_unhealthy');
    clock.advance(1000);
    await until(() => changes.length === 2);

    expect(changes).toEqual([`u db.test:${port} unhealthy`, `u db.test:${port} healthy`]);
    const node = { upstream: 'u', host: 'db.test', address: '127.0.0.1', port };
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'a node is unhealthy',
        fields: { ...node, report: 'tcp_failure', source: 'active' },
      },
      {
        level: 'notice',
        message: 'a node is healthy again',
        fields: { ...node, report: 'success', source: 'active' },
      },
    ]);
  });

  test('counts a silent node as timed out and closes the connection', async () => {
    const { monitor, clock, nodeOf } = openMonitor();
    const server = await openServer();
    onTestFinished(() => server.close());
    monitor.follow('u', {
      checks: checksOf({ active: { timeout: 0.5, healthy: {} } }),
      nodes: [at(server.port)],
    });

    clock.advance(LATE);
    const peer = await server.accept();
    clock.advance(500 + LATE);
    await peer.rest();

    expect(nodeOf('u')).toMatchObject({ status: 'mostly_healthy', counter: { timeout_failure: 1 } });
  });

  test('does not count its own lateness as a time-out', async () => {
    const { monitor, clock, nodeOf } = openMonitor();
    const { counts, port } = await openCounting();
    monitor.follow('u', { checks: tcp(), nodes: [at(port)] });

    // From a timer, as from the machine's clock: what arrived meanwhile is read after the timers.
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        clock.advance(LATE);
        clock.leap(60_000);
        resolve();
      }, 0);
    });
    await until(() => counts.ended === 1);

    expect(nodeOf('u')).toMatchObject({ status: 'healthy', counter: { timeout_failure: 0 } });
  });
});

describe('the times of probes', () => {
  test('spread over the first interval', async () => {
    const shares = [0, 0.25, 0.5, 0.75];
    const { monitor, clock } = openMonitor({ random: () => shares.shift() ?? 0 });
    const { counts, port } = await openCounting();
    const nodes = ['a', 'b', 'c', 'd'].map((host) => at(port, host));
    monitor.follow('u', { checks: tcp({ healthy: { interval: 4 } }), nodes });

    clock.advance(LATE);
    for (const probes of [1, 2, 3, 4]) {
      await until(() => counts.ended === probes);
      expect(counts.connections).toBe(probes);
      clock.advance(1000);
    }
  });

  test('keep the pace of the interval, though each is a little late', async () => {
    const { monitor, clock } = openMonitor({ random: () => 0.5 });
    const { counts, port } = await openCounting();
    monitor.follow('u', { checks: tcp({ healthy: { interval: 5 } }), nodes: [at(port)] });

    clock.advance(2500 + LATE);
    for (let probes = 1; probes <= 20; probes += 1) {
      await until(() => counts.ended === probes);
      clock.advance(5000);
    }

    await until(() => counts.ended === 21);
    expect(counts.connections).toBe(21);
  });

  test('change with the state of the node', async () => {
    const { monitor, clock, changes } = openMonitor({ random: () => 0.9 });
    const { counts, port } = await openCounting();
    const checks = tcp({
      healthy: { interval: 3600, successes: 1 },
      unhealthy: { interval: 2, tcp_failures: 1 },
    });
    monitor.follow('u', { checks, nodes: [at(port)] });

    monitor.reportPassive('u', at(port), 'tcp_failure');
    monitor.reportPassive('u', at(port), 'tcp_failure');
    clock.advance(1900);
    expect(counts.connections).toBe(0);
    clock.advance(100 + LATE);
    await until(() => changes.length === 2);

    expect(changes).toEqual([`u 127.0.0.1:${port} unhealthy`, `u 127.0.0.1:${port} healthy`]);
  });

  test.for([
    ['healthy', { unhealthy: {} }],
    ['healthy', {}],
  ] as const)('are none for a %s node when the checks have no such part', ([, active]) => {
    const { monitor, clock } = openMonitor();

    monitor.follow('u', { checks: checksOf({ active }), nodes: [at(1)] });

    expect(clock.running).toBe(0);
  });

  test('are none for an unhealthy node when the checks have no such part', async () => {
    const { monitor, clock, changes } = openMonitor();
    const checks = checksOf({ active: { type: 'tcp', healthy: {} } });
    monitor.follow('u', { checks, nodes: [at(await freePort())] });

    clock.advance(LATE);
    await until(() => monitor.statusOf('u')?.nodes[0]?.status === 'mostly_healthy');
    clock.advance(1000);
    await until(() => changes.length === 1);

    expect(clock.running).toBe(0);
  });
});

describe('reports of sessions', () => {
  test('count without passive checks, with the defaults of the library', () => {
    const { monitor, changes } = openMonitor();
    monitor.follow('u', { checks: tcp(), nodes: [at(80)] });

    monitor.reportPassive('u', at(80), 'tcp_failure');
    expect(changes).toEqual([]);
    monitor.reportPassive('u', at(80), 'tcp_failure');

    expect(changes).toEqual(['u 127.0.0.1:80 unhealthy']);
  });

  test('are passed over for what is not followed', () => {
    const { monitor, changes } = openMonitor();
    monitor.follow('u', { checks: tcp({}), nodes: [at(80)] });

    for (let each = 0; each < 9; each += 1) {
      monitor.reportPassive('u', at(81), 'tcp_failure');
      monitor.reportPassive('u', at(80, 'other.test'), 'tcp_failure');
      monitor.reportPassive('v', at(80), 'tcp_failure');
    }

    expect(changes).toEqual([]);
  });

  test('tell nodes of one address apart by their names', () => {
    const { monitor, nodeOf } = openMonitor();
    monitor.follow('u', { checks: tcp(), nodes: [at(80, 'a.test'), at(80, 'b.test')] });

    monitor.reportPassive('u', at(80, 'b.test'), 'tcp_failure');

    expect([nodeOf('u', 0)?.status, nodeOf('u', 1)?.status]).toEqual(['healthy', 'mostly_healthy']);
  });
});

describe('a change of an upstream', () => {
  test('keeps the nodes that stay, and lets the others go as healthy', () => {
    const { monitor, changes, nodeOf } = openMonitor();
    monitor.follow('u', { checks: tcp(), nodes: [at(1), at(2), at(3)] });
    for (const port of [1, 1, 2, 2]) monitor.reportPassive('u', at(port), 'tcp_failure');
    changes.length = 0;

    monitor.follow('u', { checks: tcp(), nodes: [at(4), at(2)] });

    expect(changes).toEqual(['u 127.0.0.1:1 healthy']);
    expect(monitor.statusOf('u')?.nodes.map(({ port, status }) => [port, status])).toEqual([
      [2, 'unhealthy'],
      [4, 'healthy'],
    ]);
    monitor.follow('u', { checks: tcp(), nodes: [at(1), at(2)] });
    expect(nodeOf('u', 1)).toMatchObject({ port: 1, status: 'healthy', counter: { tcp_failure: 0 } });
  });

  test.for([
    ['the checks', { checks: tcp({ timeout: 2 }) }],
    ['the host header', { checks: tcp(), hostHeader: 'other.test' }],
  ] as const)('of %s starts every node over', ([, change]) => {
    const { monitor, changes, nodeOf } = openMonitor();
    monitor.follow('u', { checks: tcp(), nodes: [at(1)] });
    for (const port of [1, 1]) monitor.reportPassive('u', at(port), 'tcp_failure');

    monitor.follow('u', { ...change, nodes: [at(1)] });

    expect(changes).toEqual(['u 127.0.0.1:1 unhealthy', 'u 127.0.0.1:1 healthy']);
    expect(nodeOf('u')).toMatchObject({ status: 'healthy', counter: { tcp_failure: 0 } });
  });

  test('may come from the callback, after a report of a session', () => {
    const { monitor, clock } = openMonitor({ onChange: () => monitor.unfollow('u') });
    monitor.follow('u', { checks: tcp(), nodes: [at(1)] });

    for (const port of [1, 1]) monitor.reportPassive('u', at(port), 'tcp_failure');

    expect([...monitor.status()]).toEqual([]);
    expect(clock.running).toBe(0);
  });

  test('may come from the callback, after a probe', async () => {
    const { monitor, clock } = openMonitor({ onChange: () => monitor.unfollow('u') });
    const checks = tcp({ unhealthy: { tcp_failures: 1 } });
    monitor.follow('u', { checks, nodes: [at(await freePort())] });

    clock.advance(LATE);
    await until(() => [...monitor.status()].length === 0);

    expect(clock.running).toBe(0);
  });

  test('warns of headers that no probe can carry', () => {
    const { monitor, lines } = openMonitor();

    monitor.follow('u', { checks: checksOf({ active: { req_headers: ['no colon'] } }), nodes: [] });

    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'a header of a health check cannot be sent',
        fields: { upstream: 'u', header: 'no colon' },
      },
    ]);
  });
});

describe('the number of probes under way', () => {
  test.for([
    ['of one upstream', { ofUpstream: 2, ofGateway: 100 }],
    ['of the gateway', { ofUpstream: 100, ofGateway: 2 }],
  ] as const)('%s is bounded, and those that wait follow', async ([, { ofUpstream, ofGateway }]) => {
    const { monitor, clock } = openMonitor({ concurrency: ofGateway });
    const { counts, port, cutOne } = await openCounting();
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((host) => at(port, host));
    const checks = checksOf({ active: { concurrency: ofUpstream, healthy: { interval: 60 } } });
    monitor.follow('u', { checks, nodes });

    clock.advance(LATE);

    for (const probes of [2, 3, 4, 5]) {
      await until(() => counts.connections === probes);
      await settle();
      expect(counts.connections).toBe(probes);
      cutOne();
    }
  });
});

describe('the end of checks', () => {
  test.for([
    ['unfollow', (monitor: HealthMonitor) => monitor.unfollow('u')],
    ['close', (monitor: HealthMonitor) => monitor.close()],
    ['a change to no nodes', (monitor: HealthMonitor) => monitor.follow('u', { checks: silent, nodes: [] })],
  ] as const)('by %s cuts the probes under way, those that wait too, and the timer', async ([, end]) => {
    const { monitor, clock } = openMonitor();
    const server = await openServer();
    onTestFinished(() => server.close());
    const before = countDescriptors();
    const nodes = Array.from({ length: 30 }, (_, index) => at(server.port, `node-${index}`));
    monitor.follow('u', { checks: silent, nodes });
    clock.advance(LATE);
    const peers = await Promise.all(Array.from({ length: 10 }, () => server.accept()));

    end(monitor);

    expect(clock.running).toBe(0);
    for (const peer of peers) {
      await peer.rest();
      peer.end();
      await peer.closed;
    }
    expect(countDescriptors()).toBe(before);
  });

  test('lets unhealthy nodes go as healthy', () => {
    const { monitor, changes } = openMonitor();
    monitor.follow('u', { checks: tcp(), nodes: [at(1), at(2)] });
    for (const port of [1, 1]) monitor.reportPassive('u', at(port), 'tcp_failure');
    changes.length = 0;

    monitor.unfollow('u');
    monitor.unfollow('u');

    expect(changes).toEqual(['u 127.0.0.1:1 healthy']);
    expect(monitor.statusOf('u')).toBeUndefined();
  });
});

/** Ten at a time, and the server says nothing. */
const silent = checksOf({ active: { healthy: {}, timeout: 60 } });
