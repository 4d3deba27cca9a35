import { connectPeer, openServer } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

let server: TestServer;

/** It greets everyone who connects, so that a client knows when it is served. */
beforeAll(async () => {
  server = await openServer();
  void (async () => {
    for (;;) {
      const peer = await server.accept();
      // A client that is gone already is not the server's business.
      peer.send('hello').catch(() => {});
    }
  })();
});

afterAll(() => server.close());

async function openServing(options: Parameters<typeof openGateway>[0]): Promise<OpenGateway> {
  const opened = await openGateway(options);
  await opened.put('stream_routes/1', { upstream: { nodes: { [`${server.host}:${server.port}`]: 1 } } });
  return opened;
}

/** Connects until it is greeted or closed. @returns undefined when it was closed without a byte. */
async function enter(port: number): Promise<Peer | undefined> {
  const client = await connectPeer(port);
  try {
    await client.take(5);
    return client;
  } catch {
    client.destroy();
    return undefined;
  }
}

/** One after the other. @returns those that were let in. */
async function enterMany(port: number, count: number): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let tried = 0; tried < count; tried++) {
    const client = await enter(port);
    if (client !== undefined) clients.push(client);
  }
  return clients;
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

function openSessions({ gateway }: OpenGateway): number {
  const [counts] = gateway.counts().listeners.values();
  return (counts?.accepted ?? 0) - (counts?.closed ?? 0);
}
