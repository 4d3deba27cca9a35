import { connectPeer, openServer, openSource } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enter, enterMany, openGreeter } from './testing/greeting.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

let server: TestServer;

beforeAll(async () => {
  server = await openGreeter();
});

afterAll(() => server.close());

async function openServing(options: Parameters<typeof openGateway>[0]): Promise<OpenGateway> {
  const opened = await openGateway(options);
  await opened.put('stream_routes/1', { upstream: { nodes: { [`${server.host}:${server.port}`]: 1 } } });
  return opened;
}

describe.for([{ workers: 0 }, { workers: 2 }])('a gateway with $workers worker threads', ({ workers }) => {
  test('closes connections beyond max_connections without a byte, and lets the next in when one ends', async () => {
    const opened = await openServing({ workers, entry: { max_connections: 5 } });

    const clients = await enterMany(opened.port, 12);
    expect(clients).toHaveLength(5);
    expect(opened.gateway.counts().sessionsEnded.get('LISTENER_FULL')).toBe(7);
    expect(await opened.logged('a session failed')).toMatchObject({
      level: 'warn',
      fields: { code: 'LISTENER_FULL', client: '127.0.0.1' },
    });

    clients[0]?.reset();
    await expect.poll(() => openSessions(opened)).toBe(4);

    const [successor, ...more] = await enterMany(opened.port, 3);
    expect(successor).toBeDefined();
    expect(more).toEqual([]);
    for (const client of clients) client.destroy();
    successor?.destroy();
  });

  test('counts the sessions that are there when a reload brings max_connections', async () => {
    const opened = await openServing({ workers });
    const clients = await enterMany(opened.port, 3);

    await opened.gateway.reload(opened.withEntry({ max_connections: 4 }));
    expect(await enterMany(opened.port, 3)).toHaveLength(1);

    await opened.gateway.reload(opened.withEntry({}));
    expect(await enterMany(opened.port, 3)).toHaveLength(3);
    for (const client of clients) client.destroy();
  });

  test('lets a burst of connections in, and closes what comes faster than connection_rate', async () => {
    // One in a thousand seconds: no test is slow enough to meet the second.
    const opened = await openServing({ workers, entry: { connection_rate: 0.001, connection_burst: 3 } });

    expect(await enterMany(opened.port, 6)).toHaveLength(3);
    expect(opened.gateway.counts().sessionsEnded.get('LISTENER_RATE_EXCEEDED')).toBe(3);

    await opened.gateway.reload(opened.withEntry({}));
    expect(await enterMany(opened.port, 2)).toHaveLength(2);
  });
});

/** Ends its session once it is greeted. @returns whether it was. */
async function visit(port: number): Promise<boolean> {
  const client = await enter(port);
  client?.reset();
  return client !== undefined;
}

describe.for([{ workers: 0 }, { workers: 2 }])('an upstream with $workers worker threads', ({ workers }) => {
  async function openLimited(upstream: object): Promise<OpenGateway> {
    const opened = await openGateway({ workers });
    await limit(opened, upstream);
    return opened;
  }

  function limit(opened: OpenGateway, upstream: object): Promise<void> {
    const nodes = { [`${server.host}:${server.port}`]: 1 };
    return opened.put('stream_routes/1', { upstream: { nodes, ...upstream } });
  }

  function waiting({ gateway }: OpenGateway, count: number): Promise<void> {
    return expect.poll(() => gateway.counts().sessionsWaiting).toBe(count);
  }

  test('closes sessions that no node has room for', async () => {
    const opened = await openLimited({ node_max_connections: 3 });

    const clients = await enterMany(opened.port, 8);
    expect(clients).toHaveLength(3);
    expect(opened.gateway.counts().sessionsEnded.get('UPSTREAM_FULL')).toBe(5);
    expect(await opened.logged('a session failed')).toMatchObject({
      level: 'warn',
      fields: { code: 'UPSTREAM_FULL', route: '1', client: '127.0.0.1' },
    });

    await limit(opened, { node_max_connections: 4 });
    expect(await enterMany(opened.port, 3)).toHaveLength(1);
  });

  test('lets sessions wait, and serves every one when another ends', async () => {
    const opened = await openLimited({ node_max_connections: 2, queue: { length: 20 } });
    const clients = await enterMany(opened.port, 2);

    const visits = Array.from({ length: 20 }, () => visit(opened.port));
    await waiting(opened, 20);
    clients[0]?.reset();

    expect(await Promise.all(visits)).toEqual(Array.from({ length: 20 }, () => true));
    await waiting(opened, 0);
    await expect.poll(() => openSessions(opened)).toBe(1);
    clients[1]?.destroy();
  });

  test('closes a session that has waited for too long', async () => {
    const opened = await openLimited({ node_max_connections: 1, queue: { length: 20, timeout: 0.1 } });
    const [client] = await enterMany(opened.port, 1);

    expect(await visit(opened.port)).toBe(false);
    expect(opened.gateway.counts().sessionsEnded.get('UPSTREAM_QUEUE_TIMEOUT')).toBe(1);
    expect(opened.gateway.counts().sessionsWaiting).toBe(0);
    client?.destroy();
  });

  test('serves what waits when the limit is raised, goes, or the route gets another upstream', async () => {
    const queue = { length: 20, timeout: 600 };
    const opened = await openLimited({ node_max_connections: 1, queue });
    const clients = await enterMany(opened.port, 1);
    const changes = [
      () => limit(opened, { node_max_connections: 2, queue }),
      () => limit(opened, {}),
      async () => {
        await opened.put('upstreams/u', { nodes: { [`${server.host}:${server.port}`]: 1 } });
        await opened.put('stream_routes/1', { upstream_id: 'u' });
      },
    ];

    for (const change of changes) {
      await limit(opened, { node_max_connections: clients.length, queue });
      const waits = enter(opened.port);
      await waiting(opened, 1);
      await change();
      const client = await waits;
      expect(client).toBeDefined();
      if (client !== undefined) clients.push(client);
    }
  });

  test('ends a session that gets too old, in order and without an error', async () => {
    const opened = await openLimited({ max_session_age: 0.1 });
    const client = await connectPeer(opened.port);

    expect((await client.rest()).ending).toBe('end');
    client.end();

    await expect.poll(() => openSessions(opened)).toBe(0);
    expect(opened.gateway.counts().sessionsEnded.get('SESSION_MAX_AGE')).toBe(1);
    expect(opened.lines.filter(({ message }) => message === 'a session failed')).toEqual([]);
  });

  test('connects from each source_address in turn, and asks silent peers', async () => {
    const seen = await openServer();
    const opened = await openGateway({ workers, entry: { tcp_keepalive: 60 } });
    const upstream = {
      nodes: { [`127.0.0.1:${seen.port}`]: 1 },
      source_address: ['127.0.0.7', '::1', '127.0.0.8'],
      tcp_keepalive: 60,
    };
    await opened.put('stream_routes/1', { upstream });

    const clients = await Promise.all(Array.from({ length: 8 }, () => connectPeer(opened.port)));
    const peers = await Promise.all(clients.map(() => seen.accept()));

    const sources = new Set(peers.map(({ remoteAddress }) => remoteAddress));
    expect([...sources].sort()).toEqual(['127.0.0.7', '127.0.0.8']);
    for (const client of clients) client.reset();
    await seen.close();
  });

  test('tells of a source_address that is not of this machine, and blames no node', async () => {
    const opened = await openGateway({ workers });
    const checks = {
      active: { type: 'tcp', unhealthy: { interval: 600 } },
      passive: { unhealthy: { tcp_failures: 1 } },
    };
    await limit(opened, { source_address: ['192.0.2.1'], checks });

    expect(await visit(opened.port)).toBe(false);

    expect(await opened.logged('a session failed')).toMatchObject({
      level: 'error',
      fields: { code: 'UPSTREAM_SOURCE_UNAVAILABLE', errno: 'EADDRNOTAVAIL', source: '192.0.2.1' },
    });
    expect(opened.lines.filter(({ message }) => message === 'a node is unhealthy')).toEqual([]);
  });

  test("lets a session get no more than download_rate, over one second's worth", async () => {
    const source = await openSource(Buffer.alloc(196_608));
    const opened = await openGateway({ workers });
    const upstream = { nodes: { [`127.0.0.1:${source.port}`]: 1 } };
    await opened.put('stream_routes/1', { upstream, upload_rate: 1024, download_rate: 131_072 });
    const startedMs = performance.now();
    const client = await connectPeer(opened.port);

    const { bytes } = await client.rest();

    expect(bytes).toBe(196_608);
    // Half a second's worth has to be waited for, be it only for the end; the clock of the limit is coarse.
    expect(performance.now() - startedMs).toBeGreaterThan(300);
    client.destroy();
    await source.close();
  });

  test('closes what waits when it is closed', async () => {
    const opened = await openLimited({ node_max_connections: 1, queue: { length: 1, timeout: 600 } });
    await enterMany(opened.port, 1);
    const waits = visit(opened.port);
    await waiting(opened, 1);

    await opened.gateway.close();

    expect(await waits).toBe(false);
    expect(opened.gateway.counts()).toMatchObject({ sessionsWaiting: 0 });
  });
});

test('sessions of a worker that wait are served in order of arrival, and a full queue takes no more', async () => {
  const opened = await openGateway({ workers: 0 });
  const nodes = { [`${server.host}:${server.port}`]: 1 };
  await opened.put('stream_routes/1', { upstream: { nodes, node_max_connections: 1, queue: { length: 3 } } });
  let [serving] = await enterMany(opened.port, 1);
  const greeted: number[] = [];
  const waits: Promise<Peer | undefined>[] = [];
  for (const number of [1, 2, 3]) {
    const waiting = enter(opened.port);
    waits.push(waiting);
    void waiting.then(() => greeted.push(number));
    await expect.poll(() => opened.gateway.counts().sessionsWaiting).toBe(number);
  }

  expect(await visit(opened.port)).toBe(false);
  expect(opened.gateway.counts().sessionsEnded.get('UPSTREAM_FULL')).toBe(1);

  for (const waiting of waits) {
    serving?.reset();
    serving = await waiting;
  }
  expect(greeted).toEqual([1, 2, 3]);
});

function openSessions({ gateway }: OpenGateway): number {
  const [counts] = gateway.counts().listeners.values();
  return (counts?.accepted ?? 0) - (counts?.closed ?? 0);
}
