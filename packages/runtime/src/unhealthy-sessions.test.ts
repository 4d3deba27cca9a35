import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import {
  DatagramPeer,
  connectPeer,
  eventually,
  freePort,
  openDatagramEcho,
  openEcho,
  openServer,
} from '@apisix-ts/testkit';
import type { Peer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Gateway } from './gateway-contract.ts';
import { openGateway } from './testing/open-gateway.ts';

/** What becomes of open sessions when their node becomes unhealthy. Machines may be busy. */
function endings(gateway: Gateway): Readonly<Record<string, number>> {
  return Object.fromEntries([...gateway.counts().sessionsEnded].filter(([, count]) => count > 0));
}

function at(port: number, priority = 0): object {
  return { host: '127.0.0.1', port, weight: 1, priority };
}

/** Sessions only find out: no probe comes in the time of a test. */
const passive = {
  active: { type: 'tcp', unhealthy: { interval: 3600 } },
  passive: { type: 'tcp', unhealthy: { tcp_failures: 1 } },
};

/** A server that says its name to everyone; the peers that it has. */
async function openNamed(name: string) {
  const server = await openServer();
  onTestFinished(() => server.close());
  const peers: Peer[] = [];
  void (async () => {
    for (;;) {
      const peer = await server.accept();
      peers.push(peer);
      // A client that is gone already is not the server's business.
      peer.send(name).catch(() => {});
    }
  })();
  return { port: server.port, peers };
}

async function echoes(client: Peer, peer: Peer | undefined): Promise<void> {
  await client.send('on');
  expect((await peer?.take(2))?.toString()).toBe('on');
}

describe.for([{ workers: 0 }, { workers: 2 }])(
  'sessions to a node that becomes unhealthy, with $workers worker threads',
  ({ workers }) => {
    test('are closed where the checks say so, and no others', async () => {
      const [flaky, other] = await Promise.all([openNamed('flaky'), openNamed('other')]);
      const opened = await openGateway({
        workers,
        entry: { proxy_protocol: true },
        realIpFrom: ['127.0.0.1'],
        accessLogFormat: '$session_reason $status $route_id $upstream_addr',
      });
      await opened.put('stream_routes/closing', {
        upstream: { nodes: [at(flaky.port), at(other.port)], checks: { ...passive, on_unhealthy: 'close' } },
      });
      // The same server is another node in another upstream.
      await opened.put('stream_routes/keeping', {
        remote_addr: '192.0.2.9',
        upstream: { nodes: [at(flaky.port)], checks: passive },
      });
      const open = async (source: string): Promise<{ client: Peer; name: string }> => {
        const client = await connectPeer(opened.port);
        onTestFinished(() => client.destroy());
        await client.send(`PROXY TCP4 ${source} 192.0.2.1 1000 1000\r\n`);
        return { client, name: (await client.take(5)).toString() };
      };
      const kept = await open('192.0.2.9');
      const clients: { client: Peer; name: string }[] = [];
      for (let count = 0; count < 12; count += 1) clients.push(await open('192.0.2.8'));
      const onFlaky = clients.filter(({ name }) => name === 'flaky');
      const onOther = clients.filter(({ name }) => name === 'other');

      // The first is the one that is kept; any other one's loss tells.
      flaky.peers[1]?.reset();
      const endingsSeen = await Promise.all(onFlaky.map(async ({ client }) => (await client.rest()).ending));

      expect(onFlaky.length).toBeGreaterThan(3);
      expect(onOther.length).toBeGreaterThan(3);
      expect(endingsSeen).toEqual(['reset', ...onFlaky.slice(1).map(() => 'end')]);
      await vi.waitFor(
        () =>
          expect(endings(opened.gateway)).toEqual({
            UPSTREAM_RESET: 1,
            SESSION_CLOSED_BY_HEALTH_CHECK: onFlaky.length - 1,
          }),
        eventually,
      );
      await echoes(kept.client, flaky.peers[0]);
      for (const [index, { client }] of onOther.entries()) await echoes(client, other.peers[index]);
      expect((await open('192.0.2.8')).name).toBe('other');
      for (const { client } of [kept, ...onOther]) client.reset();
      await opened.gateway.close();
      const lines = opened
        .access()
        .split('\n')
        .filter((line) => line.startsWith('SESSION_CLOSED_BY_HEALTH'));
      expect(new Set(lines)).toEqual(
        new Set([`SESSION_CLOSED_BY_HEALTH_CHECK 502 closing 127.0.0.1:${flaky.port}`]),
      );
    });

    test('are closed on UDP, too, and their clients go on with another node', async () => {
      const [flaky, other] = await Promise.all([openDatagramEcho('flaky '), openDatagramEcho('other ')]);
      onTestFinished(() => Promise.all([flaky.close(), other.close()]).then(() => {}));
      const opened = await openGateway({ workers, udpHosts: ['127.0.0.1'] });
      await opened.put('stream_routes/1', {
        upstream: {
          nodes: [at(flaky.port, 1), at(other.port)],
          checks: { ...passive, on_unhealthy: 'close' },
        },
      });
      const clients = await Promise.all(Array.from({ length: 8 }, () => DatagramPeer.open()));
      onTestFinished(() => Promise.all(clients.map((client) => client.close())).then(() => {}));
      const ask = async (client: DatagramPeer | undefined): Promise<string | undefined> =>
        (await client?.ask('who', opened.udpPort))?.bytes.toString();
      for (const client of clients) expect(await ask(client)).toBe('flaky who');

      await flaky.close();
      await clients[0]?.send('lost', opened.udpPort);
      await vi.waitFor(
        () =>
          expect(endings(opened.gateway)).toEqual({
            UPSTREAM_CONNECT_REFUSED: 1,
            SESSION_CLOSED_BY_HEALTH_CHECK: 7,
          }),
        eventually,
      );

      for (const client of clients) expect(await ask(client)).toBe('other who');
      expect(endings(opened.gateway)).toEqual({
        UPSTREAM_CONNECT_REFUSED: 1,
        SESSION_CLOSED_BY_HEALTH_CHECK: 7,
      });
    });

    test('may come while no node is healthy, and stay when theirs is again', async () => {
      const echo = await openEcho();
      onTestFinished(() => echo.close());
      const port = await freePort();
      const probed = await listenForProbes(port);
      const opened = await openGateway({ workers });
      const active = {
        type: 'tcp',
        port,
        healthy: { interval: 1, successes: 1 },
        unhealthy: { interval: 1, tcp_failures: 1 },
      };
      await opened.put('stream_routes/1', {
        upstream: { nodes: [at(echo.port)], checks: { active, on_unhealthy: 'close' } },
      });
      const early = await connectEchoing(opened.port);

      probed.close();
      await opened.logged('a node is unhealthy');
      expect(await early.rest()).toMatchObject({ bytes: 0, ending: 'end' });
      const late = await connectEchoing(opened.port);
      await listenForProbes(port);
      await opened.logged('a node is healthy again');

      await late.send('again');
      expect((await late.take(5)).toString()).toBe('again');
      expect(endings(opened.gateway)).toEqual({ SESSION_CLOSED_BY_HEALTH_CHECK: 1 });
    });
  },
);

async function listenForProbes(port: number): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => {}).resume());
  onTestFinished(() => void server.close());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function connectEchoing(port: number): Promise<Peer> {
  const client = await connectPeer(port);
  onTestFinished(() => client.destroy());
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  return client;
}
