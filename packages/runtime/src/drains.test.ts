import {
  DatagramPeer,
  connectPeer,
  eventually,
  openDatagramEcho,
  openEcho,
  openSource,
} from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DrainTarget } from './drains.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

/** A server that says its name and goes on with what it gets. */
async function openNamed(name: string): Promise<TestServer> {
  const server = await openSource(Buffer.from(name));
  onTestFinished(() => server.close());
  return server;
}

interface Scene extends Pick<OpenGateway, 'gateway' | 'port' | 'udpPort'> {
  readonly put: (key: string, document: unknown) => Promise<void>;
  readonly connect: () => Promise<Peer>;
  /** Reads the settings again, as they were. */
  readonly reload: () => Promise<unknown>;
}

async function open(workers: number): Promise<Scene> {
  const opened = await openGateway({ workers, udpHosts: ['127.0.0.1'] });
  const connect = async (): Promise<Peer> => {
    const client = await connectPeer(opened.port);
    onTestFinished(() => client.destroy());
    return client;
  };
  const { gateway, port, udpPort } = opened;
  return {
    gateway,
    port,
    udpPort,
    connect,
    put: (key, document) => opened.put(key, document),
    reload: () => gateway.reload(opened.withPorts(port)),
  };
}

/** A client that is served: by an echo. */
async function serve(connect: () => Promise<Peer>): Promise<Peer> {
  const client = await connect();
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  return client;
}

async function isServed(client: Peer): Promise<boolean> {
  await client.send('on');
  return (await client.rest()).bytes > 0;
}

describe.for([{ workers: 0 }, { workers: 2 }])('with $workers worker threads', ({ workers }) => {
  test('a node gets no new sessions, in any worker, until that is undone', async () => {
    const [a, b] = await Promise.all([openNamed('a'), openNamed('b')]);
    const { gateway, put, connect } = await open(workers);
    await put('stream_routes/r', {
      upstream: { nodes: { [`127.0.0.1:${a.port}`]: 1, [`127.0.0.1:${b.port}`]: 1 } },
    });
    const names = async (): Promise<ReadonlySet<string>> => {
      const clients = await Promise.all(Array.from({ length: 12 }, () => connect()));
      return new Set(await Promise.all(clients.map(async (client) => (await client.take(1)).toString())));
    };
    expect(await names()).toEqual(new Set(['a', 'b']));
    const node: DrainTarget = { kind: 'node', name: `127.0.0.1:${a.port}` };

    await gateway.drains.start(node);
    expect(await names()).toEqual(new Set(['b']));

    await gateway.drains.undo(node);
    expect(await names()).toEqual(new Set(['a', 'b']));
  });

  test('sessions of a node stay without a time, and are closed in order within one', async () => {
    const echo = await openEcho();
    onTestFinished(() => echo.close());
    const { gateway, put, connect } = await open(workers);
    await put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
    const clients = await Promise.all([1, 2, 3].map(() => serve(connect)));
    const node: DrainTarget = { kind: 'node', name: '127.0.0.1' };

    expect(await gateway.drains.start(node)).toMatchObject({ ...node, sessions: 3 });
    await clients[0]?.send('still');
    expect((await clients[0]?.take(5))?.toString()).toBe('still');
    await gateway.drains.start(node, 800);

    expect(await Promise.all(clients.map(async (client) => (await client.rest()).ending))).toEqual([
      'end',
      'end',
      'end',
    ]);
    for (const client of clients) client.destroy();
    await vi.waitFor(async () => {
      expect(gateway.counts().sessionsEnded.get('SESSION_DRAINED')).toBe(3);
      expect(await gateway.drains.list()).toMatchObject([{ ...node, overMs: 800, sessions: 0 }]);
    }, eventually);
  });

  test('a route is as if it were absent, and an edit of it does not change that', async () => {
    const [special, general] = await Promise.all([openNamed('special'), openNamed('general')]);
    const { gateway, put, connect, port } = await open(workers);
    const document = { server_port: port, upstream: { nodes: { [`127.0.0.1:${special.port}`]: 1 } } };
    await put('stream_routes/special', document);
    await put('stream_routes/general', { upstream: { nodes: { [`127.0.0.1:${general.port}`]: 1 } } });
    const name = async (): Promise<string> => (await (await connect()).take(7)).toString();
    expect(await name()).toBe('special');

    await gateway.drains.start({ kind: 'route', name: 'special' });
    expect(await name()).toBe('general');
    await put('stream_routes/special', { ...document, desc: 'edited' });
    expect(await name()).toBe('general');

    await gateway.drains.undo({ kind: 'route', name: 'special' });
    expect(await name()).toBe('special');
  });

  test('an upstream refuses sessions that have nothing else', async () => {
    const echo = await openEcho();
    onTestFinished(() => echo.close());
    const { gateway, put, connect } = await open(workers);
    await put('upstreams/u', { nodes: { [`127.0.0.1:${echo.port}`]: 1 } });
    await put('stream_routes/r', { upstream_id: 'u' });
    await serve(connect);

    await gateway.drains.start({ kind: 'upstream', name: 'u' });

    expect(await isServed(await connect())).toBe(false);
    expect(gateway.counts().sessionsEnded.get('UPSTREAM_NO_NODE')).toBe(1);
    await gateway.drains.undo({ kind: 'upstream', name: 'u' });
    await serve(connect);
  });

  test('a listener accepts nobody; its sessions go on, and a reload leaves it closed', async () => {
    const echo = await openEcho();
    onTestFinished(() => echo.close());
    const { gateway, put, connect, port, reload } = await open(workers);
    await put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
    const client = await serve(connect);
    const listener: DrainTarget = { kind: 'listener', name: String(port) };

    expect(await gateway.drains.start(listener)).toMatchObject({ sessions: 1 });
    await expect(connectPeer(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await reload();
    await expect(connectPeer(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await client.send('still');
    expect((await client.take(5)).toString()).toBe('still');

    await gateway.drains.undo(listener);
    await serve(connect);
  });
});

test('a UDP listener answers the clients that it has, and no others', async () => {
  const echo = await openDatagramEcho('udp');
  onTestFinished(() => echo.close());
  const { gateway, put, udpPort } = await open(0);
  await put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
  const [known, stranger] = await Promise.all([DatagramPeer.open(), DatagramPeer.open()]);
  onTestFinished(async () => {
    await Promise.all([known.close(), stranger.close()]);
  });
  await known.ask('1', udpPort);
  const listener: DrainTarget = { kind: 'listener', name: `127.0.0.1:${udpPort}/udp` };

  await gateway.drains.start(listener);
  await stranger.send('2', udpPort);
  expect((await known.ask('3', udpPort)).bytes.toString()).toBe('udp3');

  expect((await gateway.sessions.list({}, 0)).total).toBe(1);
  await gateway.drains.undo(listener);
  expect((await stranger.ask('4', udpPort)).bytes.toString()).toBe('udp4');
});

describe('what is drained', () => {
  test.for([
    { kind: 'listener', name: '1' },
    { kind: 'route', name: 'absent' },
    { kind: 'upstream', name: 'absent' },
    { kind: 'upstream', name: 'stream_routes/absent' },
    { kind: 'node', name: '192.0.2.77' },
  ] as const)('has to exist: $kind $name', async (target) => {
    const { gateway } = await openGateway({ workers: 0 });

    await expect(gateway.drains.start(target)).rejects.toMatchObject({ code: 'DRAIN_TARGET_UNKNOWN' });
    await expect(gateway.drains.undo(target)).rejects.toMatchObject({ code: 'DRAIN_TARGET_UNKNOWN' });
    expect(await gateway.drains.list()).toEqual([]);
  });

  test('is drained once, however often it is asked for', async () => {
    const opened = await openGateway({ workers: 0 });
    const { gateway } = opened;
    await opened.put('stream_routes/r', { upstream: { nodes: { 'db.test:3306': 1, '192.0.2.1:1': 1 } } });
    const route: DrainTarget = { kind: 'route', name: 'r' };

    await gateway.drains.start(route);
    await gateway.drains.start({ kind: 'upstream', name: 'stream_routes/r' });
    await gateway.drains.start(route, 1000);

    expect(await gateway.drains.list()).toMatchObject([
      { kind: 'upstream', name: 'stream_routes/r' },
      { ...route, overMs: 1000 },
    ]);
    expect((await opened.logged('draining')).fields).toMatchObject({ route: 'r' });
  });

  test('is forgotten with the gateway, and a listener that ends is not opened again', async () => {
    const { gateway, port } = await openGateway({ workers: 0 });
    const listener: DrainTarget = { kind: 'listener', name: String(port) };
    await gateway.drains.start(listener);

    await gateway.quit();
    await gateway.drains.undo(listener);

    await expect(connectPeer(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
