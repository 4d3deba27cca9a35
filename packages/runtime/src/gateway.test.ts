import { once } from 'node:events';
import { createServer } from 'node:net';
import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import type { Settings } from '@apisix-ts/config';
import type { Answer } from '@apisix-ts/discovery';
import { GatewayError } from '@apisix-ts/errors';
import { connectPeer, eventually, freePort, openEcho, openServer } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createGateway } from './gateway.ts';
import { openGateway } from './testing/open-gateway.ts';

let alpha: TestServer;
let beta: TestServer;

/** Two servers that say who they are to everyone who connects, then echo. */
beforeAll(async () => {
  [alpha, beta] = await Promise.all([openGreeter('alpha'), openGreeter('beta_')]);
});

afterAll(async () => {
  await Promise.all([alpha.close(), beta.close()]);
});

async function openGreeter(name: string): Promise<TestServer> {
  const server = await openServer();
  void (async () => {
    for (;;) {
      const peer = await server.accept();
      // A client that is gone already is not the greeter's business.
      peer.send(name).catch(() => {});
    }
  })();
  return server;
}

function nodes(...servers: readonly TestServer[]): Readonly<Record<string, number>> {
  return Object.fromEntries(servers.map(({ host, port }) => [`${host}:${port}`, 1]));
}

/** Connects and reads who answers; undefined when the connection is closed without a byte. */
async function whoAnswers(port: number): Promise<string | undefined> {
  const client = await connectPeer(port);
  try {
    return (await client.take(5)).toString();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

describe.for([{ workers: 0 }, { workers: 2 }])('a gateway with $workers worker threads', ({ workers }) => {
  test('closes clients without a byte while no route matches', async () => {
    const opened = await openGateway({ workers });

    expect(await whoAnswers(opened.port)).toBeUndefined();
    expect(opened.gateway.counts().sessionsEnded.get('ROUTE_NOT_FOUND')).toBe(1);
  });

  test('serves a route from the moment its revision is applied', async () => {
    const opened = await openGateway({ workers });

    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    await opened.put('stream_routes/1', { upstream: { nodes: nodes(beta) } });
    expect(await whoAnswers(opened.port)).toBe('beta_');

    await opened.delete('stream_routes/1');
    expect(await whoAnswers(opened.port)).toBeUndefined();
  });

  test('does not serve a plain connection by a route with sni', async () => {
    const opened = await openGateway({ workers });

    await opened.put('stream_routes/1', { sni: 'a.test', upstream: { nodes: nodes(alpha) } });

    expect(await whoAnswers(opened.port)).toBeUndefined();
  });

  test('warns about a stored plugin that does not exist, and serves without it', async () => {
    const opened = await openGateway({ workers });

    await opened.put('stream_routes/1', { plugins: { absent: {} }, upstream: { nodes: nodes(alpha) } });

    expect(await whoAnswers(opened.port)).toBe('alpha');
    expect(await opened.logged('a resource does not do all that it says')).toMatchObject({
      level: 'warn',
      fields: { resource: 'stream_routes/1' },
    });
  });

  test('leaves open sessions alone when their route changes or goes', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(await openEchoForTest()) } });
    const client = await connectPeer(opened.port);
    await client.send('one');
    expect((await client.take(3)).toString()).toBe('one');

    await opened.put('stream_routes/1', { server_port: 1, upstream: { nodes: nodes(beta) } });
    await opened.delete('stream_routes/1');

    await client.send('two');
    expect((await client.take(3)).toString()).toBe('two');
    client.destroy();
  });

  test('follows references, and a change of what is referred to', async () => {
    const opened = await openGateway({ workers });
    await opened.put('upstreams/u', { nodes: nodes(alpha) });
    await opened.put('services/s', { upstream_id: 'u' });
    await opened.put('stream_routes/1', { service_id: 's' });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    await opened.put('upstreams/u', { nodes: nodes(beta) });
    expect(await whoAnswers(opened.port)).toBe('beta_');

    await opened.put('services/s', { upstream: { nodes: nodes(alpha) } });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    await opened.delete('services/s');
    expect(await whoAnswers(opened.port)).toBeUndefined();
    expect(opened.gateway.counts().sessionsEnded.get('UPSTREAM_NOT_CONFIGURED')).toBe(1);
  });

  test('tries the next node when one refuses, and none when retries is 0', async () => {
    const opened = await openGateway({ workers });
    const dead = { host: '127.0.0.1', port: await freePort(), weight: 1, priority: 1 };
    const alive = { host: alpha.host, port: alpha.port, weight: 1, priority: 0 };

    await opened.put('stream_routes/1', { upstream: { nodes: [dead, alive] } });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    await opened.put('stream_routes/1', { upstream: { nodes: [dead, alive], retries: 0 } });
    expect(await whoAnswers(opened.port)).toBeUndefined();
    const line = await opened.logged('a session failed');
    expect(line).toMatchObject({
      level: 'error',
      fields: { code: 'UPSTREAM_CONNECT_REFUSED', route: '1', errno: 'ECONNREFUSED' },
    });
  });

  test('counts the open sessions of a node over all workers', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { type: 'least_conn', nodes: nodes(alpha, beta) } });

    // One after the other, and all stay open: with counts of each worker's own the sides would drift apart.
    const clients: Peer[] = [];
    const names: string[] = [];
    for (let count = 0; count < 20; count++) {
      const client = await connectPeer(opened.port);
      clients.push(client);
      names.push((await client.take(5)).toString());
    }

    expect(names.filter((name) => name === 'alpha')).toHaveLength(10);
    for (const client of clients) client.destroy();
  });

  test.for(['ewma', 'random'])('serves with %s', async (type) => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { type, nodes: nodes(alpha, beta) } });

    expect(['alpha', 'beta_']).toContain(await whoAnswers(opened.port));
  });

  test('keeps a client on its node with chash', async () => {
    const opened = await openGateway({ workers });
    const upstream = { type: 'chash', key: 'remote_addr', nodes: nodes(alpha, beta) };
    await opened.put('stream_routes/1', { upstream });

    const served = new Set<string | undefined>();
    for (let count = 0; count < 6; count++) served.add(await whoAnswers(opened.port));

    expect(served.size).toBe(1);
  });

  test('passes over a node that probes find down, and takes it back', async () => {
    const opened = await openGateway({ workers });
    const flaky = await openServer();
    const checks = {
      active: {
        type: 'tcp',
        healthy: { interval: 1, successes: 1 },
        unhealthy: { interval: 1, tcp_failures: 1 },
      },
    };
    const both = [
      { host: '127.0.0.1', port: flaky.port, weight: 1, priority: 1 },
      { host: '127.0.0.1', port: alpha.port, weight: 1, priority: 0 },
    ];
    await opened.put('stream_routes/1', { upstream: { nodes: both, checks, retries: 0 } });

    await flaky.close();
    await opened.logged('a node is unhealthy');

    // No retry is allowed, so only a balancer that knows can reach the other one.
    expect(await whoAnswers(opened.port)).toBe('alpha');
    expect(opened.gateway.status().health).toMatchObject([
      { name: 'stream_routes/1', type: 'tcp', nodes: [{ status: 'unhealthy' }, { port: alpha.port }] },
    ]);
  });

  test('passes over a node that sessions could not reach', async () => {
    const opened = await openGateway({ workers });
    const dead = await freePort();
    const checks = {
      active: { type: 'tcp', unhealthy: { interval: 60 } },
      passive: { unhealthy: { tcp_failures: 1 } },
    };
    const both = [
      { host: '127.0.0.1', port: dead, weight: 1, priority: 1 },
      { host: '127.0.0.1', port: alpha.port, weight: 1, priority: 0 },
    ];
    await opened.put('stream_routes/1', { upstream: { nodes: both, checks, retries: 0 } });
    expect(await whoAnswers(opened.port)).toBeUndefined();

    await opened.logged('a node is unhealthy');

    expect(await whoAnswers(opened.port)).toBe('alpha');
  });

  test('writes a line for every session that ended, also for those without a route', async () => {
    const format = '$remote_addr $route_id $upstream_addr $status $session_reason $bytes_sent';
    const opened = await openGateway({ workers, accessLogFormat: format });
    await whoAnswers(opened.port);
    await opened.put('stream_routes/r', { upstream: { nodes: nodes(alpha) } });
    const client = await connectPeer(opened.port);
    await client.take(5);
    client.reset();

    await opened.gateway.quit();

    // Workers hand their lines over in no particular order.
    expect(opened.access().trimEnd().split('\n').sort()).toEqual([
      '127.0.0.1 - - 404 ROUTE_NOT_FOUND 0',
      `127.0.0.1 r 127.0.0.1:${alpha.port} 400 DOWNSTREAM_RESET 5`,
    ]);
  });

  test('calls a route and its service by their names, those of now', async () => {
    const format = '$route_name $service_id $service_name';
    const opened = await openGateway({ workers, accessLogFormat: format });
    await opened.put('services/s', { name: 'shop', upstream: { nodes: nodes(alpha) } });
    await opened.put('stream_routes/r', { name: 'before', service_id: 's' });
    await opened.put('stream_routes/r', { name: 'orders', service_id: 's' });
    const client = await connectPeer(opened.port);
    await client.take(5);
    client.reset();

    await opened.gateway.quit();

    expect(opened.access()).toBe('orders s shop\n');
  });

  test('keeps the last good version of a route that became invalid', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });

    await opened.put('stream_routes/1', { upstream: { nodes: 'nonsense' } });

    expect(await whoAnswers(opened.port)).toBe('alpha');
    expect(opened.gateway.status().rejections).toMatchObject([
      { kind: 'stream_routes', id: '1', hasPredecessor: true },
    ]);
  });

  test('reports two routes that tie, once', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/b', { server_port: opened.port });

    await opened.put('stream_routes/a', { server_port: opened.port });
    // Every worker answers this after what it found.
    await opened.gateway.refreshCounts();

    const overlaps = opened.lines.filter(({ message }) => message.startsWith('two stream routes'));
    expect(overlaps).toMatchObject([{ level: 'warn', fields: { serving: 'a', never_serving: 'b' } }]);
  });

  test('names twenty of the routes of one load that never serve, and counts the others', async () => {
    const opened = await openGateway({
      workers,
      documents: Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`stream_routes/${index}`, {}])),
    });

    const { fields } = await opened.logged('more stream routes of this change never serve');

    expect(fields).toEqual({ count: 10 });
    expect(opened.lines.filter(({ message }) => message.startsWith('two stream routes'))).toHaveLength(20);
  });

  test('ends a session that is idle for longer than its upstream allows', async () => {
    const opened = await openGateway({ workers });
    const timeout = { connect: 1, send: 0.1, read: 0.1 };
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha), timeout } });
    const client = await connectPeer(opened.port);
    await client.take(5);

    expect((await client.rest()).ending).toBe('end');
    client.destroy();
    expect((await opened.logged('a session failed')).fields).toMatchObject({
      code: 'SESSION_IDLE_TIMEOUT',
    });
  });

  test('opens and closes listeners on reload without touching sessions', async () => {
    const opened = await openGateway({ workers });
    const { gateway, port } = opened;
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(await openEchoForTest()) } });
    const client = await connectPeer(port);
    await client.send('one');
    await client.take(3);
    const added = await freePort();

    expect(await gateway.reload(opened.withPorts(port, added))).toEqual([]);
    const other = await connectPeer(added);
    await other.send('new');
    expect((await other.take(3)).toString()).toBe('new');

    await gateway.reload(opened.withPorts(added));
    await expect(connectPeer(port)).rejects.toThrow('ECONNREFUSED');
    await client.send('two');
    expect((await client.take(3)).toString()).toBe('two');
    expect(gateway.status().listeners).toEqual([{ protocol: 'tcp', host: '127.0.0.1', port: added }]);
    client.destroy();
    other.destroy();
  });

  test('refuses a reload whose port another program has, and goes on as before', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const other = createServer().listen(await freePort(), '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;

    await expect(opened.gateway.reload(opened.withPorts(taken))).rejects.toMatchObject({
      code: 'LISTENER_PORT_IN_USE',
    });

    expect(await whoAnswers(opened.port)).toBe('alpha');
    other.close();
  });

  test('quits when the last session has ended, and takes no new ones meanwhile', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(await openEchoForTest()) } });
    const client = await connectPeer(opened.port);
    await client.send('one');
    await client.take(3);

    const quit = opened.gateway.quit();
    await client.send('two');
    expect((await client.take(3)).toString()).toBe('two');
    client.end();
    await quit;

    await expect(connectPeer(opened.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('cuts the sessions that are left when the time to quit is over', async () => {
    const opened = await openGateway({ workers, shutdownTimeout: '100ms' });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const client = await connectPeer(opened.port);
    await client.take(5);

    await opened.gateway.quit();

    expect((await client.rest()).bytes).toBe(0);
    client.destroy();
    expect(opened.gateway.counts().sessionsEnded.get('SESSION_CLOSED_BY_SHUTDOWN')).toBe(1);
  });

  test('resolves a node name, waits for its first answer, and serves on with the last one', async () => {
    const answers: (readonly string[] | undefined)[] = [[alpha.host]];
    const opened = await openGateway({
      workers,
      lookup(name) {
        const addresses = answers.shift();
        if (addresses !== undefined) return Promise.resolve({ addresses, ttlSeconds: 0 });
        return Promise.reject(new GatewayError('UPSTREAM_NAME_UNRESOLVED', `${name} is gone`));
      },
    });

    await opened.put('stream_routes/1', { upstream: { nodes: { [`server.test:${alpha.port}`]: 1 } } });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    const line = await opened.logged('a node name could not be resolved');
    expect(line.fields).toMatchObject({ name: 'server.test', still_serving: [alpha.host] });
    expect(await whoAnswers(opened.port)).toBe('alpha');
  });

  test('uses a name whose first answer comes after its change was published', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Answer>();
    const opened = await openGateway({ workers, lookup: () => answer });
    await opened.put('stream_routes/1', { upstream: { nodes: { [`server.test:${alpha.port}`]: 1 } } });
    expect(await whoAnswers(opened.port)).toBeUndefined();

    resolve({ addresses: ['127.0.0.1'], ttlSeconds: 60 });

    await vi.waitFor(async () => expect(await whoAnswers(opened.port)).toBe('alpha'), eventually);
  });

  test('moves to the new addresses of a name', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    const moved = await openGreeterAt('127.0.0.2', alpha.port, 'moved');
    const opened = await openGateway({
      workers,
      lookup: () => Promise.resolve({ addresses: answers.shift() ?? ['127.0.0.2'], ttlSeconds: 0 }),
    });
    await opened.put('stream_routes/1', { upstream: { nodes: { [`server.test:${alpha.port}`]: 1 } } });
    expect(await whoAnswers(opened.port)).toBe('alpha');

    await opened.logged('a node name has new addresses');
    // The next write is published after the addresses, so once it is applied they are too.
    await opened.put('upstreams/later', { nodes: nodes(beta) });

    expect(await whoAnswers(opened.port)).toBe('moved');
    await moved();
  });
});

test('a store that its owner closes first is reported, and what was loaded keeps serving', async () => {
  const opened = await openGateway({ workers: 0 });
  await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });

  await opened.store.close();

  const line = await opened.logged('the store is no longer followed');
  expect(line).toMatchObject({ level: 'error', fields: { code: 'STORE_CLOSED' } });
  expect(await whoAnswers(opened.port)).toBe('alpha');
});

test('a listener may be named, and one whose name has no address says so', async () => {
  const opened = await openGateway({ workers: 0 });
  const port = await freePort();
  const named = (host: string): Settings =>
    settingsFrom({
      apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [`${host}:${port}`] } },
      nginx_config: { worker_processes: 0 },
    });

  await opened.gateway.reload(named('localhost'));
  expect(await whoAnswers(port)).toBeUndefined();
  expect(opened.gateway.counts().sessionsEnded.get('ROUTE_NOT_FOUND')).toBe(1);

  await expect(opened.gateway.reload(named('absent.invalid'))).rejects.toMatchObject({
    code: 'LISTENER_FAILED',
    message: expect.stringContaining(`absent.invalid:${port}: that host name`),
  });
});

test('a gateway whose port is in use does not start and leaves nothing running', async () => {
  const first = await openGateway({ workers: 0 });
  const rival = createGateway(first.withPorts(first.port), { store: createMemoryStore() });

  await expect(rival.start()).rejects.toMatchObject({
    code: 'LISTENER_PORT_IN_USE',
    message: expect.stringContaining(`127.0.0.1:${first.port}`),
  });
});

async function openEchoForTest(): Promise<TestServer> {
  echo ??= await openEcho();
  return echo;
}

let echo: TestServer | undefined;
afterAll(async () => echo?.close());

/** @returns closes it. */
async function openGreeterAt(host: string, port: number, name: string): Promise<() => Promise<unknown>> {
  const server = createServer((socket) => {
    socket.on('error', () => {}); // its client may be gone first
    socket.end(name);
  }).listen(port, host);
  await once(server, 'listening');
  return () => once(server.close(), 'close');
}
