import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DatagramPeer, eventually, freePort, openDatagramEcho, someBytes } from '@apisix-ts/testkit';
import type { Datagram } from '@apisix-ts/testkit';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Gateway } from './gateway-contract.ts';
import { openGateway } from './testing/open-gateway.ts';

/** Two servers that put their names before what they send back. */
let alpha: DatagramPeer;
let beta: DatagramPeer;

beforeEach(async () => {
  [alpha, beta] = await Promise.all([openDatagramEcho('alpha '), openDatagramEcho('beta ')]);
});

afterEach(async () => {
  await Promise.all([alpha.close(), beta.close()]);
});

function nodes(...servers: readonly { readonly host: string; readonly port: number }[]): object {
  return Object.fromEntries(
    servers.map(({ host, port }) => [host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, 1]),
  );
}

async function openClient(host = '127.0.0.1'): Promise<DatagramPeer> {
  const client = await DatagramPeer.open({ host });
  onTestFinished(() => client.close());
  return client;
}

/** A server that keeps what it gets. */
async function openSilent(): Promise<DatagramPeer> {
  const server = await DatagramPeer.open();
  onTestFinished(() => server.close());
  return server;
}

function text({ bytes }: Datagram): string {
  return bytes.toString();
}

function endings(gateway: Gateway): Readonly<Record<string, number>> {
  return Object.fromEntries([...gateway.counts().sessionsEnded].filter(([, count]) => count > 0));
}

const udpHosts = ['127.0.0.1'];

describe.for([{ workers: 0 }, { workers: 2 }])('UDP with $workers worker threads', ({ workers }) => {
  test('reaches the upstream of its route, and the answer comes from the address that was asked', async () => {
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const client = await openClient();

    const answer = await client.ask('hello', opened.udpPort);

    expect(answer).toEqual({
      bytes: Buffer.from('alpha hello'),
      address: '127.0.0.1',
      port: opened.udpPort,
    });
  });

  test('matches routes by client, server address and port; a route with sni never', async () => {
    const opened = await openGateway({ workers, udpHosts: ['127.0.0.1', '127.0.0.2'] });
    await opened.put('stream_routes/1', { sni: '*', priority: 9, upstream: { nodes: nodes(alpha) } });
    await opened.put('stream_routes/2', { server_addr: '127.0.0.2', upstream: { nodes: nodes(alpha) } });
    await opened.put('stream_routes/3', {
      server_port: opened.udpPort,
      remote_addr: '127.0.0.3',
      upstream: { nodes: nodes(beta) },
    });
    const [client, other] = await Promise.all([openClient(), openClient('127.0.0.3')]);

    expect(text(await client.ask('a', opened.udpPort, '127.0.0.2'))).toBe('alpha a');
    expect(text(await other.ask('b', opened.udpPort))).toBe('beta b');
    await client.send('c', opened.udpPort);
    await vi.waitFor(() => expect(endings(opened.gateway)).toEqual({ ROUTE_NOT_FOUND: 1 }), eventually);
    expect(client.waiting).toEqual([]);
  });

  test.for([0, 1, 1472, 65_507 - 'alpha '.length])('passes %i bytes both ways', async (size) => {
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const client = await openClient();
    const bytes = someBytes(size);

    const answer = await client.ask(bytes, opened.udpPort);

    expect(answer.bytes.equals(Buffer.concat([Buffer.from('alpha '), bytes]))).toBe(true);
  });

  test('passes the largest datagram there is to the upstream', async () => {
    const server = await openSilent();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(server) } });
    const client = await openClient();
    const bytes = someBytes(65_507);

    await client.send(bytes, opened.udpPort);

    expect((await server.take()).bytes.equals(bytes)).toBe(true);
  });

  test('keeps each of many clients on one upstream socket, and gives it all answers', async () => {
    const server = await openSilent();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(server) } });
    const clients = await Promise.all(Array.from({ length: 40 }, () => openClient()));

    const ports = new Map<string, Set<number>>();
    for (let round = 0; round < 3; round += 1) {
      for (const client of clients) await client.send(`${client.port}`, opened.udpPort);
      for (const _ of clients) {
        const datagram = await server.take();
        const seen = ports.get(text(datagram)) ?? new Set();
        ports.set(text(datagram), seen.add(datagram.port));
        await server.send(`1 to ${text(datagram)}`, datagram.port);
        await server.send(`2 to ${text(datagram)}`, datagram.port);
      }
    }

    expect(ports.size).toBe(40);
    expect([...ports.values()].every((seen) => seen.size === 1)).toBe(true);
    for (const client of clients) {
      for (let round = 0; round < 3; round += 1) {
        expect(text(await client.take())).toBe(`1 to ${client.port}`);
        expect(text(await client.take())).toBe(`2 to ${client.port}`);
      }
    }
    expect(opened.gateway.counts().listeners.get(`127.0.0.1:${opened.udpPort}/udp`)).toMatchObject({
      accepted: 40,
      closed: 0,
    });
  });

  test('counts a refused datagram as a failure, and the next one goes to another node', async () => {
    const refusing = await freePort();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', {
      upstream: {
        nodes: [
          { host: '127.0.0.1', port: refusing, weight: 1, priority: 1 },
          { host: alpha.host, port: alpha.port, weight: 1, priority: 0 },
        ],
      },
    });
    const client = await openClient();

    await client.send('lost', opened.udpPort);
    await vi.waitFor(
      () => expect(endings(opened.gateway)).toEqual({ UPSTREAM_CONNECT_REFUSED: 1 }),
      eventually,
    );

    expect(text(await client.ask('next', opened.udpPort))).toBe('alpha next');
    expect(text(await client.ask('and on', opened.udpPort))).toBe('alpha and on');
    expect(endings(opened.gateway)).toEqual({ UPSTREAM_CONNECT_REFUSED: 1 });
  });

  test('tries a node that refused again when there is no other', async () => {
    const refusing = await freePort();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${refusing}`]: 1 } } });
    const client = await openClient();
    await client.send('lost', opened.udpPort);
    await vi.waitFor(
      () => expect(endings(opened.gateway)).toEqual({ UPSTREAM_CONNECT_REFUSED: 1 }),
      eventually,
    );

    const late = await DatagramPeer.open({ port: refusing });
    onTestFinished(() => late.close());
    await client.send('next', opened.udpPort);

    expect(text(await late.take())).toBe('next');
  });

  test('tells passive health checks of a refusal, and leaves the node out', async () => {
    const refusing = { host: '127.0.0.1', port: await freePort() };
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', {
      upstream: {
        nodes: nodes(refusing, alpha),
        // The probe succeeds where nothing is sent: it is the refusal that tells.
        checks: {
          active: { type: 'tcp', healthy: { interval: 3600 }, unhealthy: { interval: 3600 } },
          passive: { type: 'tcp', unhealthy: { tcp_failures: 1 } },
        },
      },
    });

    const clients = await Promise.all(Array.from({ length: 2 * (workers + 1) }, () => openClient()));
    for (const client of clients) await client.send('one', opened.udpPort);
    const line = await opened.logged('a node is unhealthy');
    const others = await Promise.all(Array.from({ length: 10 }, () => openClient()));

    expect(line.fields).toMatchObject({ port: refusing.port, source: 'passive' });
    for (const other of others) expect(text(await other.ask('two', opened.udpPort))).toBe('alpha two');
  });

  test('goes on through a reload, also of a session that is open', async () => {
    const server = await openSilent();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(server) } });
    const client = await openClient();
    await client.send('before', opened.udpPort);
    const before = await server.take();

    await opened.gateway.reload(opened.withUdpHosts('127.0.0.1', '127.0.0.2'));
    await client.send('after', opened.udpPort);
    const after = await server.take();
    await server.send('answer', after.port);

    expect(after.port).toBe(before.port);
    expect(text(await client.take())).toBe('answer');
  });

  test('ends the sessions of a listener that a reload removes', async () => {
    const opened = await openGateway({ workers, udpHosts: ['127.0.0.1', '127.0.0.2'] });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const client = await openClient();
    await client.ask('a', opened.udpPort, '127.0.0.2');

    await opened.gateway.reload(opened.withUdpHosts('127.0.0.1'));

    expect(endings(opened.gateway)).toEqual({ SESSION_CLOSED_BY_SHUTDOWN: 1 });
    expect(opened.gateway.status().listeners).toContainEqual({
      protocol: 'udp',
      host: '127.0.0.1',
      port: opened.udpPort,
    });
    expect(text(await client.ask('b', opened.udpPort))).toBe('alpha b');
  });

  test('a port that another program has fails a reload, which then changes nothing', async () => {
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
    const other = await DatagramPeer.open({ host: '127.0.0.2', port: opened.udpPort });
    onTestFinished(() => other.close());

    const reloading = opened.gateway.reload(opened.withUdpHosts('127.0.0.1', '127.0.0.2'));

    await expect(reloading).rejects.toMatchObject({ code: 'LISTENER_PORT_IN_USE' });
    expect(text(await (await openClient()).ask('a', opened.udpPort))).toBe('alpha a');
  });

  test('quit waits for an answer that is under way', async () => {
    const server = await openSilent();
    const opened = await openGateway({ workers, udpHosts });
    await opened.put('stream_routes/1', { upstream: { nodes: nodes(server) } });
    const client = await openClient();
    await client.send('question', opened.udpPort);
    const { port } = await server.take();

    const quitting = opened.gateway.quit();
    await server.send('answer', port);

    expect(text(await client.take())).toBe('answer');
    await quitting;
    expect(endings(opened.gateway)).toEqual({ OK: 1 });
  });
});

test('listens on UDP and TCP at one port', async () => {
  const opened = await openGateway({ workers: 0, udpHosts });
  const { tcp: _tcp, ...proxy } = opened.withUdpHosts('127.0.0.1').apisix.stream_proxy ?? {};
  const settings = opened.withUdpHosts('127.0.0.1');

  await opened.gateway.reload({
    ...settings,
    apisix: { ...settings.apisix, stream_proxy: { ...proxy, tcp: [`127.0.0.1:${opened.udpPort}`] } },
  });

  expect(opened.gateway.status().listeners.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual([
    `tcp ${opened.udpPort}`,
    `udp ${opened.udpPort}`,
  ]);
});

test('serves IPv6', async () => {
  const server = await openDatagramEcho('six ', '::1');
  onTestFinished(() => server.close());
  const opened = await openGateway({ workers: 2, udpHosts: ['[::1]', '[::]'] });
  await opened.put('stream_routes/1', { remote_addr: '::1', upstream: { nodes: nodes(server) } });
  const client = await openClient('::1');

  const answer = await client.ask('a', opened.udpPort, '::1');

  expect(answer).toEqual({ bytes: Buffer.from('six a'), address: '::1', port: opened.udpPort });
});

test('a wildcard listener knows the address that was asked', async () => {
  const opened = await openGateway({ workers: 2, udpHosts: ['0.0.0.0'] });
  await opened.put('stream_routes/1', { server_addr: '127.0.0.1', upstream: { nodes: nodes(alpha) } });
  const client = await openClient();

  expect(text(await client.ask('a', opened.udpPort))).toBe('alpha a');
});

test('one session more than there may be ends the one that has been idle longest', async () => {
  const opened = await openGateway({ workers: 0, udpHosts, udpSessions: 2 });
  await opened.put('stream_routes/1', { upstream: { nodes: nodes(alpha) } });
  const [first, second, third] = await Promise.all([openClient(), openClient(), openClient()]);
  await first.ask('1', opened.udpPort);
  await second.ask('2', opened.udpPort);
  await first.ask('3', opened.udpPort);

  await third.ask('4', opened.udpPort);

  expect(endings(opened.gateway)).toEqual({ SESSION_EVICTED: 1 });
  const counts = (): number | undefined =>
    opened.gateway.counts().listeners.get(`127.0.0.1:${opened.udpPort}/udp`)?.accepted;
  expect(counts()).toBe(3);
  await first.ask('5', opened.udpPort);
  expect(counts()).toBe(3);
  await second.ask('6', opened.udpPort);
  expect(counts()).toBe(4);
});

test('without descriptors the session idle longest makes room, and no node is blamed', async () => {
  const program = fileURLToPath(new URL('testing/udp-gateway.ts', import.meta.url));
  const node = [process.execPath, '--conditions=@apisix-ts/source', program, String(alpha.port)];
  const child = spawn('sh', ['-c', 'ulimit -n 100 && exec "$@"', 'sh', ...node], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const clients = await Promise.all(Array.from({ length: 150 }, () => openClient()));

  for (const client of clients) {
    // The datagram that finds no descriptor is lost; the next one goes through.
    await vi.waitFor(
      async () => {
        await client.send('a', port);
        expect(client.waiting.length).toBeGreaterThan(0);
      },
      { ...eventually, interval: 5 },
    );
  }
  child.stdin.end();
  const ended: unknown = JSON.parse(String((await lines.next()).value));
  await once(child, 'exit');

  expect(ended).toMatchObject({ UPSTREAM_CONNECT_REFUSED: 0, UPSTREAM_NO_NODE: 0 });
  expect(ended).toEqual(
    expect.objectContaining({
      SESSION_EVICTED: expect.any(Number),
      GATEWAY_EXHAUSTED: expect.any(Number),
    }),
  );
  expect(Object(ended)['SESSION_EVICTED']).toBeGreaterThan(0);
  expect(Object(ended)['SESSION_EVICTED']).toBe(Object(ended)['GATEWAY_EXHAUSTED']);
});

test('does not send in clear what an upstream wants in TLS', async () => {
  const opened = await openGateway({ workers: 0, udpHosts });
  await opened.put('stream_routes/1', { upstream: { scheme: 'tls', nodes: nodes(alpha) } });
  const client = await openClient();

  await client.send('a', opened.udpPort);

  expect((await opened.logged('a session failed')).fields).toMatchObject({
    code: 'UPSTREAM_NO_NODE',
    errno: 'scheme tls, on UDP',
  });
});

test('the scheme udp is served as any other', async () => {
  const opened = await openGateway({ workers: 0, udpHosts });
  await opened.put('stream_routes/1', { upstream: { scheme: 'udp', nodes: nodes(alpha) } });

  expect(text(await (await openClient()).ask('a', opened.udpPort))).toBe('alpha a');
});

test('a session that was idle is logged as one that ended well', async () => {
  const opened = await openGateway({
    workers: 0,
    udpHosts,
    accessLogFormat:
      '$protocol $status $stream_listen_addr $server_addr $bytes_received $bytes_sent $upstream_addr $route_id',
  });
  await opened.put('stream_routes/dns', {
    upstream: { nodes: nodes(alpha), timeout: { connect: 1, send: 0.1, read: 0.2 } },
  });
  const client = await openClient();
  await client.ask('hello', opened.udpPort);

  await vi.waitFor(() => expect(opened.access()).not.toBe(''), eventually);

  expect(opened.access()).toBe(
    `UDP 200 127.0.0.1:${opened.udpPort}/udp 127.0.0.1 5 11 127.0.0.1:${alpha.port} dns\n`,
  );
});
