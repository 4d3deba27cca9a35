import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatagramPeer, connectPeer, eventually } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';

interface UnixEcho {
  /** As a node names it. */
  readonly host: string;
  close(): Promise<void>;
}

/** Sends back what comes, and its end. */
async function openUnixEcho(): Promise<UnixEcho> {
  const folder = await mkdtemp(join(tmpdir(), 'unix-'));
  const path = join(folder, 'echo.sock');
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    // A client that is gone already, a probe for instance, is not the echo's business.
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    host: `unix:${path}`,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends a text and its end, and takes an answer as long, which has to end there. */
async function ask(port: number, question: string): Promise<string> {
  const client = await connectPeer(port);
  await client.send(question);
  client.end();
  const answer = (await client.take(question.length)).toString();
  expect(await client.rest()).toMatchObject({ bytes: 0, ending: 'end' });
  return answer;
}

describe.for([{ workers: 0 }, { workers: 2 }])(
  'a node on a unix socket, with $workers worker threads',
  ({ workers }) => {
    test('serves, in both forms, and is named in the access log', async () => {
      const { host } = await openUnixEcho();
      const opened = await openGateway({ workers, accessLogFormat: '$upstream_addr $session_reason' });

      await opened.put('stream_routes/1', { upstream: { nodes: { [host]: 1 } } });
      expect(await ask(opened.port, 'hello')).toBe('hello');
      await opened.put('stream_routes/1', { upstream: { nodes: [{ host, weight: 1 }] } });
      expect(await ask(opened.port, 'again')).toBe('again');

      await vi.waitFor(() => expect(opened.access()).toBe(`${host} OK\n${host} OK\n`), eventually);
    });

    test('gets a PROXY header', async () => {
      const { host } = await openUnixEcho();
      const opened = await openGateway({ workers, entry: { proxy_protocol_to_upstream: true } });
      await opened.put('stream_routes/1', { upstream: { nodes: { [host]: 1 } } });

      const client = await connectPeer(opened.port);
      onTestFinished(() => client.destroy());
      await client.send('hello');

      const header = `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.localPort} ${opened.port}\r\n`;
      expect((await client.take(header.length + 5)).toString()).toBe(`${header}hello`);
    });

    test('that is gone is named, and the next node is tried', async () => {
      const [gone, alive] = [await openUnixEcho(), await openUnixEcho()];
      await gone.close();
      const opened = await openGateway({ workers });
      await opened.put('stream_routes/1', {
        upstream: {
          nodes: [
            { host: gone.host, weight: 1, priority: 1 },
            { host: alive.host, weight: 1 },
          ],
        },
      });

      expect(await ask(opened.port, 'hello')).toBe('hello');
      expect(await opened.logged('a session failed')).toMatchObject({
        fields: { code: 'UPSTREAM_CONNECT_FAILED', errno: 'ENOENT', node: gone.host },
      });
    });

    test('is probed', async () => {
      const [gone, alive] = [await openUnixEcho(), await openUnixEcho()];
      await gone.close();
      const opened = await openGateway({ workers });
      const active = { type: 'tcp', healthy: { interval: 1 }, unhealthy: { interval: 1, tcp_failures: 1 } };

      await opened.put('stream_routes/1', {
        upstream: { nodes: { [gone.host]: 1, [alive.host]: 1 }, checks: { active } },
      });

      expect((await opened.logged('a node is unhealthy')).fields).toMatchObject({ address: gone.host });
      expect(opened.gateway.status().health[0]?.nodes).toMatchObject([
        { ip: gone.host, port: 0, hostname: 'localhost', status: 'unhealthy' },
        { ip: alive.host, port: 0, hostname: 'localhost', status: 'healthy' },
      ]);
    });

    test('is asked over HTTP as localhost', async () => {
      const path = join(await mkdtemp(join(tmpdir(), 'unix-')), 'http.sock');
      const asked = Promise.withResolvers<string | undefined>();
      const server = createHttpServer((request, response) => {
        asked.resolve(request.headers.host);
        response.end();
      }).listen(path);
      await once(server, 'listening');
      onTestFinished(async () => {
        server.close();
        await rm(dirname(path), { recursive: true, force: true });
      });
      const opened = await openGateway({ workers });
      const active = { type: 'http', healthy: { interval: 1 }, unhealthy: { interval: 1 } };

      await opened.put('stream_routes/1', {
        upstream: { nodes: { [`unix:${path}`]: 1 }, checks: { active } },
      });

      expect(await asked.promise).toBe('localhost');
    });

    test('takes no datagrams', async () => {
      const { host } = await openUnixEcho();
      const opened = await openGateway({ workers, udpHosts: ['127.0.0.1'] });
      await opened.put('stream_routes/1', { upstream: { nodes: { [host]: 1 } } });
      const client = await DatagramPeer.open({ host: '127.0.0.1' });
      onTestFinished(() => client.close());

      await client.send('hello', opened.udpPort);

      expect(await opened.logged('a session failed')).toMatchObject({
        fields: { code: 'UPSTREAM_NO_NODE', errno: `${host}, on UDP` },
      });
    });
  },
);
