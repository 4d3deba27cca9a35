import { DatagramPeer, connectPeer, openDatagramEcho, openEcho } from '@apisix-ts/testkit';
import type { Peer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SessionFilter } from './data-plane/session-filter.ts';
import { openGateway } from './testing/open-gateway.ts';

/** Open sessions, looked at and closed from outside. */
describe.for([{ workers: 0 }, { workers: 2 }])('with $workers worker threads', ({ workers }) => {
  /** A gateway before a server that answers with what it gets. */
  async function open() {
    const [echo, datagrams] = await Promise.all([openEcho(), openDatagramEcho('udp')]);
    const opened = await openGateway({
      workers,
      udpHosts: ['127.0.0.1'],
      accessLogFormat: '$connection $session_reason $status',
    });
    onTestFinished(async () => {
      await Promise.all([echo.close(), datagrams.close()]);
    });
    const { gateway, port, udpPort } = opened;
    await opened.put('upstreams/u', { nodes: { [`127.0.0.1:${echo.port}`]: 1 } });
    await opened.put('services/s', { upstream_id: 'u' });
    await opened.put('stream_routes/tcp', { server_port: port, service_id: 's' });
    await opened.put('stream_routes/udp', {
      server_port: udpPort,
      upstream: { nodes: { [`127.0.0.1:${datagrams.port}`]: 1 } },
    });
    const connect = async (): Promise<Peer> => {
      const client = await connectPeer(port);
      onTestFinished(() => client.destroy());
      await client.send('hello');
      await client.take(5);
      return client;
    };
    const idsOf = async (filter: SessionFilter): Promise<readonly string[]> =>
      (await gateway.sessions.list(filter, 100)).sessions.map(({ id }) => id);
    return { ...opened, echo, datagrams, connect, idsOf };
  }

  test('each has an id, its ends, its way and its bytes', async () => {
    const before = Date.now();
    const { gateway, port, udpPort, echo, datagrams, connect } = await open();
    const client = await connect();
    const asker = await DatagramPeer.open();
    onTestFinished(() => asker.close());
    await asker.ask('who', udpPort);

    const { total, sessions } = await gateway.sessions.list({}, 100);

    expect(total).toBe(2);
    expect(sessions).toMatchObject([
      {
        protocol: 'tcp',
        state: 'relaying',
        listener: `127.0.0.1:${port}`,
        client: `127.0.0.1:${client.localPort}`,
        server: `127.0.0.1:${port}`,
        routeId: 'tcp',
        serviceId: 's',
        upstream: 'u',
        node: `127.0.0.1:${echo.port}`,
        bytesReceived: 5,
        bytesSent: 5,
      },
      {
        protocol: 'udp',
        listener: `127.0.0.1:${udpPort}/udp`,
        server: `127.0.0.1:${udpPort}`,
        routeId: 'udp',
        serviceId: undefined,
        upstream: 'stream_routes/udp',
        node: `127.0.0.1:${datagrams.port}`,
        bytesReceived: 3,
        bytesSent: 6,
      },
    ]);
    for (const { id, worker, startedAt, ageMs } of sessions) {
      expect(id).toMatch(new RegExp(`^${worker}-[12]$`));
      expect(startedAt).toBeGreaterThan(before - 1000);
      expect(startedAt + ageMs).toBeLessThan(Date.now() + 1000);
    }
  });

  test('the oldest are told, and all are counted', async () => {
    const { gateway, connect } = await open();
    for (let count = 0; count < 5; count += 1) await connect();

    const { sessions: all } = await gateway.sessions.list({}, 100);
    const few = await gateway.sessions.list({}, 2);

    expect(few.total).toBe(5);
    expect(few.sessions.map(({ id }) => id)).toEqual(all.slice(0, 2).map(({ id }) => id));
    expect(await gateway.sessions.list({}, 0)).toEqual({ total: 5, sessions: [] });
  });

  test('every filter takes those that it means', async () => {
    const { gateway, connect, idsOf, port, echo } = await open();
    await connect();
    const [first] = await idsOf({});
    const { sessions } = await gateway.sessions.list({}, 1);
    const node = `127.0.0.1:${echo.port}`;
    const takes: readonly SessionFilter[] = [
      { id: String(first) },
      { listener: `127.0.0.1:${port}` },
      { listener: String(port) },
      { route: 'tcp', service: 's' },
      { upstream: 'u' },
      { upstream: 'upstreams/u' },
      { node },
      { node: '127.0.0.1' },
      { client: '127.0.0.0/8' },
      { client: '127.0.0.1' },
      { protocol: 'tcp', state: 'relaying' },
      { olderThanMs: (sessions[0]?.ageMs ?? 0) / 2 },
    ];
    const leaves: readonly SessionFilter[] = [
      { id: '9-9' },
      { listener: '127.0.0.1' },
      { route: 'udp' },
      { service: 'u' },
      { upstream: 's' },
      { node: '127.0.0.1:1' },
      { client: '10.0.0.0/8' },
      { client: '2001:db8::/32' },
      { protocol: 'udp' },
      { sni: 'a.test' },
      { state: 'waiting' },
      { olderThanMs: 3_600_000 },
      { route: 'tcp', node: '127.0.0.1:1' },
    ];

    for (const filter of takes) expect([filter, await idsOf(filter)]).toEqual([filter, [first]]);
    for (const filter of leaves) expect([filter, await idsOf(filter)]).toEqual([filter, []]);
  });

  test('those that fit are closed, and the others go on', async () => {
    const { gateway, connect, idsOf, ...opened } = await open();
    const [meant, other] = [await connect(), await connect()];
    const [id] = await idsOf({});

    expect(await gateway.sessions.close({ id: String(id) })).toBe(1);

    expect((await meant.rest()).ending).toBe('end');
    await other.send('again');
    expect((await other.take(5)).toString()).toBe('again');
    expect(await idsOf({})).not.toContain(id);
    const line = await opened.logged('sessions were closed because an operator asked for it');
    expect(line.fields).toEqual({ id, closed: 1 });
    await gateway.close();
    expect(opened.access()).toContain(`${id?.split('-')[1]} SESSION_CLOSED_BY_OPERATOR 200\n`);
  });

  test('more than are closed a turn are closed all the same', async () => {
    const { gateway, connect } = await open();
    const clients = await Promise.all(Array.from({ length: 250 }, () => connect()));

    expect(await gateway.sessions.close({ route: 'tcp' })).toBe(250);

    for (const client of clients) expect((await client.rest()).ending).toBe('end');
    expect((await gateway.sessions.list({}, 0)).total).toBe(0);
  });
});

test('a session that waits for a client or for a node says so', async () => {
  const opened = await openGateway({ workers: 0, entry: { proxy_protocol: true } });
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  await opened.put('stream_routes/r', {
    upstream: {
      nodes: { [`127.0.0.1:${echo.port}`]: 1 },
      node_max_connections: 1,
      queue: { length: 1, timeout: 60 },
    },
  });
  const header = 'PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n';
  const clients = await Promise.all([1, 2, 3].map(() => connectPeer(opened.port)));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  await clients[0]?.send(`${header}hello`);
  await clients[0]?.take(5);
  await clients[1]?.send(header);
  while (opened.gateway.counts().sessionsWaiting === 0) await new Promise(setImmediate);
  const { sessions } = await opened.gateway.sessions.list({}, 100);

  expect(sessions.map(({ state, node }) => [state, node])).toEqual([
    ['relaying', `127.0.0.1:${echo.port}`],
    ['waiting', undefined],
    ['arriving', undefined],
  ]);
});

test('a quit closes idle sessions in order, one after the other', async () => {
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  const opened = await openGateway({ workers: 2, shutdownTimeout: '20s' });
  const { gateway, port } = opened;
  await opened.put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
  const clients = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const client = await connectPeer(port);
      onTestFinished(() => client.destroy());
      await client.send('hello');
      await client.take(5);
      return client;
    }),
  );

  const quitting = gateway.quit();
  const endings = clients.map(async (client) => {
    const { ending } = await client.rest();
    client.end();
    return ending;
  });
  const first = await Promise.race(endings);
  const { total: left } = await gateway.sessions.list({}, 0);
  for (const client of clients) client.end();
  await quitting;

  expect(first).toBe('end');
  expect(left).toBeGreaterThan(8);
  expect(new Set(await Promise.all(endings))).toEqual(new Set(['end']));
  const { sessionsEnded } = gateway.counts();
  expect(sessionsEnded.get('SESSION_CLOSED_BY_SHUTDOWN')).toBeGreaterThan(0);
  expect(sessionsEnded.get('OK')).toBeGreaterThan(8);
});
