import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRunRecord } from './run-record.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation, Ports } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

describe('config_provider yaml with the Admin API on', () => {
  test('a configuration that is PUT serves, and stays over a reload that moves the Admin API', async () => {
    const { ports, configure, start } = await installed();
    const echo = await echoForTest();
    const gateway = await start();
    await expect(greet(ports)).rejects.toThrow();

    const put = await putConfigs(ports.admin, 'd1', routeTo(echo));
    await untilApplied(ports.control, 2);
    const first = await greet(ports);
    const admin = ports.http;
    await configure(apiYaml({ ...ports, admin, http: ports.admin }));
    await gateway.reload();
    const again = await putConfigs(admin, 'd1', {});
    const kept = await fetch(configsUrl(admin));

    expect([put.status, first]).toEqual([202, 'hello']);
    expect(await greet(ports)).toBe('hello');
    expect([again.status, kept.headers.get('x-digest')]).toEqual([204, 'd1']);
    expect(await kept.json()).toMatchObject({ ...routeTo(echo), stream_routes_conf_version: 1 });
  });

  test('the gateway is ready once a configuration was sent', async () => {
    const { ports, start } = await installed();
    await start();
    const ready = `http://127.0.0.1:${ports.status}/status/ready`;
    const before = await fetch(ready);

    await putConfigs(ports.admin, 'd1', routeTo(await echoForTest()));
    await untilApplied(ports.control, 2);

    expect([before.status, await before.json()]).toEqual([
      503,
      { status: 'error', error: 'worker id: 0 has not received configuration' },
    ]);
    expect((await fetch(ready)).status).toBe(200);
  });

  test('one that is refused changes nothing', async () => {
    const { ports, start } = await installed();
    const echo = await echoForTest();
    await start();
    await putConfigs(ports.admin, 'd1', routeTo(echo));
    await untilApplied(ports.control, 2);

    const refused = await putConfigs(ports.admin, 'd2', {
      upstreams: [],
      stream_routes: [{ id: 'r', server_port: 'x' }],
    });

    expect(refused.status).toBe(400);
    expect(await greet(ports)).toBe('hello');
  });

  test('a session goes on while everything around it is replaced', async () => {
    const { ports, start } = await installed();
    const echo = await echoForTest();
    await start();
    await putConfigs(ports.admin, 'd1', routeTo(echo));
    await untilApplied(ports.control, 2);
    const client = await connectPeer(ports.stream);
    await client.send('before');
    await client.take(6);

    await putConfigs(ports.admin, 'd2', {});
    await untilApplied(ports.control, 3);
    await client.send('after');

    expect((await client.take(5)).toString()).toBe('after');
    client.destroy();
    await expect(greet(ports)).rejects.toThrow();
  });

  test('everything else below Admin is 404, and the status names the provider', async () => {
    const { ports, start } = await installed();
    await start();
    const admin = `http://127.0.0.1:${ports.admin}/apisix/admin`;

    const status: unknown = await (await fetch(`http://127.0.0.1:${ports.control}/v1/config/status`)).json();

    expect((await fetch(`${admin}/stream_routes`)).status).toBe(404);
    expect((await fetch(admin, { method: 'HEAD' })).status).toBe(200);
    expect(status).toMatchObject({ config_provider: 'yaml' });
  });

  test('a start begins empty, and says that conf/apisix.yaml does not count', async () => {
    const { home, ports, start } = await installed();
    const echo = await echoForTest();
    const first = await start();
    await putConfigs(ports.admin, 'd1', routeTo(echo));
    await first.stop();
    await writeFile(join(home, 'conf', 'apisix.yaml'), 'stream_routes: []\n#END\n');

    const second = await start();

    expect(second.warnings).toContainEqual(
      expect.stringContaining(`${join(home, 'conf', 'apisix.yaml')} is not read`),
    );
    expect((await fetch(configsUrl(ports.admin))).headers.get('x-digest')).toBeNull();
    await expect(greet(ports)).rejects.toThrow();
  });

  test('a reload to another provider waits for a restart, and the API goes on', async () => {
    const { home, ports, configure, start } = await installed();
    const gateway = await start();

    await configure(apiYaml(ports).replace('config_provider: yaml', 'config_provider: embedded'));
    await gateway.reload();

    expect(readRunRecord(home)?.last_reload).toMatchObject({
      ok: true,
      pending: ['deployment.config_provider'],
    });
    expect((await fetch(configsUrl(ports.admin))).status).toBe(200);
  });
});

async function installed(): Promise<Installation> {
  const installation = await createInstallation();
  await installation.configure(apiYaml(installation.ports));
  return installation;
}

function apiYaml(ports: Ports): string {
  return configYaml(ports).replace(
    'deployment:',
    'deployment:\n  role_traditional: { config_provider: yaml }',
  );
}

async function echoForTest(): Promise<TestServer> {
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  return echo;
}

function routeTo({ port }: TestServer): object {
  return {
    upstreams: [{ id: 'u', type: 'roundrobin', nodes: { [`127.0.0.1:${port}`]: 1 } }],
    stream_routes: [{ id: 'r', upstream_id: 'u' }],
  };
}

function configsUrl(port: number): string {
  return `http://127.0.0.1:${port}/apisix/admin/configs`;
}

function putConfigs(port: number, digest: string, configuration: object): Promise<Response> {
  const body = JSON.stringify(configuration);
  return fetch(configsUrl(port), { method: 'PUT', headers: { 'X-Digest': digest }, body });
}

/** Rejects when nobody answers. */
async function greet({ stream }: Ports): Promise<string> {
  const client = await connectPeer(stream);
  try {
    await client.send('hello');
    return (await client.take(5)).toString();
  } finally {
    client.destroy();
  }
}
