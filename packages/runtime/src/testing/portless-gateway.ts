/**
 * Run in a network namespace with one local port: a gateway in front of two nodes. The second session finds no port
 * towards the first node, where the first session still is. It prints how both ended, and what is held against the nodes.
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import { createGateway } from '../gateway.ts';

const hosts = ['127.0.0.5', '127.0.0.6'] as const;
/** An address for each client: from its one port it can connect to each of them once. */
const listened = ['127.0.0.1', '127.0.0.2'] as const;
const servers = hosts.map((host) => createServer((socket) => socket.end(host)).listen(3306, host));
await Promise.all(servers.map((server) => once(server, 'listening')));
const store = createMemoryStore();
const logged: unknown[] = [];
const gateway = createGateway(
  settingsFrom({
    apisix: { proxy_mode: 'stream', stream_proxy: { tcp: listened.map((host) => `${host}:9100`) } },
    // The test of handles would need a port.
    nginx_config: { worker_processes: 0, stream: { relay: 'socket' } },
  }),
  { store, log: (_level, _message, fields) => void logged.push(fields?.['code'], fields?.['errno']) },
);
await gateway.start();
const { revision } = await store.writer.put(
  'stream_routes/1',
  JSON.stringify({
    upstream: {
      nodes: hosts.map((host, index) => ({ host, port: 3306, weight: 1, priority: -index })),
      checks: {
        active: { type: 'tcp', unhealthy: { interval: 3600 } },
        passive: { unhealthy: { tcp_failures: 1 } },
      },
    },
  }),
);
await gateway.whenApplied(revision);

const answers: string[] = [];
const clients: Socket[] = [];
for (const host of listened) {
  // It does not end, so its session and the port of it stay.
  const client = connect({ host, port: 9100, allowHalfOpen: true });
  clients.push(client);
  const [answer]: unknown[] = await once(client, 'data');
  answers.push(String(answer));
}
const statuses = gateway.status().health.flatMap(({ nodes }) => nodes.map(({ status }) => status));
console.log(JSON.stringify({ answers, logged, statuses }));
for (const client of clients) client.destroy();
for (const server of servers) server.close();
await gateway.close();
