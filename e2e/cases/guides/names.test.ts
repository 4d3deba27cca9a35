import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, openServer, startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';

let leaks: LeakCheck;
let dns: DnsServer;
let first: TestServer;
let second: TestServer;

beforeAll(async () => {
  leaks = openLeakCheck();
  [first, second] = await Promise.all([openGreeter('first '), openGreeter('second')]);
  dns = await startDnsServer({
    names: { 'local.test': ['127.0.0.1'] },
    services: {
      'db.test': [
        { target: 'local.test', port: first.port, priority: 1, weight: 10 },
        { target: 'local.test', port: second.port, priority: 2, weight: 10 },
      ],
    },
  });
});

afterAll(async () => {
  await Promise.all([dns.close(), first.close(), second.close()]);
  expect(await leaks.leftovers()).toEqual([]);
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

/** The service of docs/names.md, in order, each step on what the one before left. */
describe('a service of DNS', () => {
  let gateway: GatewayInstallation;

  beforeAll(async () => {
    gateway = await createGatewayInstallation();
  });

  afterAll(async () => {
    await gateway.remove();
  });

  async function whoAnswers(): Promise<string> {
    const client = await connectPeer(gateway.streamPort);
    try {
      return (await client.take(6)).toString();
    } finally {
      client.destroy();
    }
  }

  test('takes its servers from config.yaml', async () => {
    await gateway.configure(`proxy_mode: http&stream\nstream_proxy:\n  tcp: [${gateway.streamPort}]`);
    await appendFile(
      join(gateway.home, 'conf', 'config.yaml'),
      `discovery:\n  dns:\n    servers: ["${dns.server}"]\n`,
    );

    await gateway.apisixOk('start');
  });

  test('serves a route, the best SRV priority first', async () => {
    const upstream = { service_name: 'db.test', discovery_type: 'dns' };

    expect(await gateway.put('/stream_routes', { id: 'db', upstream })).toMatchObject({ status: 201 });

    expect(await whoAnswers()).toBe('first ');
  });

  test('goes on to the next priority', async () => {
    await first.close();

    expect(await whoAnswers()).toBe('second');
  });

  test('needs no DNS server for what it knows', async () => {
    await dns.close();

    await expect.poll(() => gateway.errorLog()).toMatch(/service name could not be resolved/);
    expect(await whoAnswers()).toBe('second');
  });
});
