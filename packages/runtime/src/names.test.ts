import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import {
  DatagramPeer,
  connectPeer,
  eventually,
  freePort,
  openDatagramEcho,
  openServer,
  startDnsServer,
} from '@apisix-ts/testkit';
import type { DnsServer, DnsServerOptions, DnsService, TestServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createGateway } from './gateway.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

async function openDns(options: DnsServerOptions): Promise<DnsServer> {
  const dns = await startDnsServer(options);
  onTestFinished(() => dns.close());
  return dns;
}

/** A server that says who it is to everyone who connects. */
async function openGreeter(name: string): Promise<TestServer> {
  const server = await openServer();
  onTestFinished(() => server.close());
  void (async () => {
    for (;;) {
      const peer = await server.accept();
      // A client that is gone already is not the greeter's business.
      peer.send(name).catch(() => {});
    }
  })();
  return server;
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

function srv({ port }: { readonly port: number }, priority = 0, weight = 1): DnsService {
  return { target: 'local.test', port, priority, weight };
}

const local = { 'local.test': ['127.0.0.1'] };
const upstream = { service_name: 'db.test', discovery_type: 'dns' };

function statusesOf({ gateway }: OpenGateway): unknown {
  return Object.fromEntries(
    gateway.status().health[0]?.nodes.map(({ port, status }) => [port, status]) ?? [],
  );
}

describe.for([{ workers: 0 }, { workers: 2 }])(
  'a service of DNS with $workers worker threads',
  ({ workers }) => {
    test('serves wherever an upstream stands, best SRV priority first', async () => {
      const [alpha, beta] = [await openGreeter('alpha'), await openGreeter('beta_')];
      const dns = await openDns({ names: local, services: { 'db.test': [srv(beta, 9), srv(alpha, 1)] } });
      const opened = await openGateway({ workers, dnsServer: dns.server });

      await opened.put('stream_routes/1', { upstream });
      expect(await whoAnswers(opened.port)).toBe('alpha');
      await opened.put('upstreams/u', upstream);
      await opened.put('stream_routes/1', { upstream_id: 'u' });
      expect(await whoAnswers(opened.port)).toBe('alpha');
      await opened.put('services/s', { upstream });
      await opened.put('stream_routes/1', { service_id: 's' });
      expect(await whoAnswers(opened.port)).toBe('alpha');

      await alpha.close();
      expect(await whoAnswers(opened.port)).toBe('beta_');
    });

    test('serves datagrams', async () => {
      const echo = await openDatagramEcho('alpha ');
      onTestFinished(() => echo.close());
      const dns = await openDns({ names: local, services: { 'db.test': [srv(echo)] } });
      const opened = await openGateway({ workers, dnsServer: dns.server, udpHosts: ['127.0.0.1'] });
      await opened.put('stream_routes/1', { upstream });
      const client = await DatagramPeer.open({ host: '127.0.0.1' });
      onTestFinished(() => client.close());

      const { bytes } = await client.ask('hello', opened.udpPort);

      expect(bytes.toString()).toBe('alpha hello');
    });

    test('follows its records', async () => {
      const [alpha, beta] = [await openGreeter('alpha'), await openGreeter('beta_')];
      const dns = await openDns({ names: local, services: { 'db.test': [srv(alpha)] } });
      const opened = await openGateway({ workers, dnsServer: dns.server });
      await opened.put('stream_routes/1', { upstream });
      expect(await whoAnswers(opened.port)).toBe('alpha');

      await dns.setServices({ 'db.test': [srv(beta)] });

      expect((await opened.logged('a service name has new addresses')).fields).toMatchObject({
        name: 'db.test',
        addresses: [{ address: '127.0.0.1', port: beta.port }],
      });
      await vi.waitFor(async () => expect(await whoAnswers(opened.port)).toBe('beta_'), eventually);
    });

    test('keeps what is known of the nodes that stay', async () => {
      const alpha = await openGreeter('alpha');
      const dead = { port: await freePort() };
      const dns = await openDns({ names: local, services: { 'db.test': [srv(alpha), srv(dead)] } });
      const opened = await openGateway({ workers, dnsServer: dns.server });
      const active = {
        type: 'tcp',
        timeout: 5,
        healthy: { interval: 1 },
        unhealthy: { interval: 3600, tcp_failures: 1 },
      };
      await opened.put('stream_routes/1', { upstream: { ...upstream, checks: { active } } });
      await opened.logged('a node is unhealthy');
      const added = await openGreeter('added');

      await dns.setServices({ 'db.test': [srv(added), srv(dead, 0, 7)] });
      await opened.logged('a service name has new addresses');

      expect(statusesOf(opened)).toEqual({ [added.port]: 'healthy', [dead.port]: 'unhealthy' });
      await vi.waitFor(async () => expect(await whoAnswers(opened.port)).toBe('added'), eventually);
      // Checks that began anew would have found it healthy first, and then unhealthy a second time.
      expect(opened.lines.filter(({ message }) => message === 'a node is unhealthy')).toHaveLength(1);
    });

    test('serves on with the last answer while DNS is away or denies it', async () => {
      const alpha = await openGreeter('alpha');
      const dns = await openDns({ names: local, services: { 'db.test': [srv(alpha)] } });
      const opened = await openGateway({ workers, dnsServer: dns.server });
      await opened.put('stream_routes/1', { upstream });

      await dns.setServices({});

      const { fields } = await opened.logged('a service name could not be resolved');
      expect(fields).toMatchObject({
        name: 'db.test',
        code: 'UPSTREAM_NAME_UNRESOLVED',
        still_serving: [{ host: 'db.test', address: '127.0.0.1', port: alpha.port }],
      });
      expect(await whoAnswers(opened.port)).toBe('alpha');
    });

    test('that is not there yet serves as soon as it is', async () => {
      const alpha = await openGreeter('alpha');
      const dns = await openDns({ names: local });
      const opened = await openGateway({ workers, dnsServer: dns.server });
      await opened.put('stream_routes/1', { upstream });
      expect(await whoAnswers(opened.port)).toBeUndefined();

      await dns.setServices({ 'db.test': [srv(alpha)] });

      await vi.waitFor(async () => expect(await whoAnswers(opened.port)).toBe('alpha'), eventually);
    });
  },
);

test('a control plane, which serves nothing, looks nothing up and complains of nothing', async () => {
  const dns = await openDns({ names: local, services: { 'db.test': [srv({ port: 1 })] } });
  const store = createMemoryStore();
  await store.writer.put('upstreams/host', JSON.stringify({ nodes: { 'local.test:1': 1 } }));
  await store.writer.put('upstreams/service', JSON.stringify(upstream));
  const { revision } = await store.writer.put('stream_routes/1', JSON.stringify({ upstream_id: 'host' }));
  const asked: string[] = [];
  const lines: string[] = [];
  const gateway = createGateway(
    settingsFrom({
      deployment: { role: 'control_plane', role_control_plane: { config_provider: 'etcd' } },
      discovery: { dns: { servers: [dns.server] } },
    }),
    {
      store,
      lookup: (name) => {
        asked.push(name);
        return Promise.resolve({ addresses: ['127.0.0.1'], ttlSeconds: 60 });
      },
      log: (_level, message) => lines.push(message),
    },
  );
  onTestFinished(() => gateway.close());

  await gateway.start();
  await gateway.whenApplied(revision);

  expect([asked, lines]).toEqual([[], []]);
  expect(gateway.documents.get('upstreams', 'host')).toBeDefined();
});
