import { once } from 'node:events';
import { rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { banner } from './banner.ts';
import { readRunRecord } from './run-record.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

describe('a gateway that starts', () => {
  test('serves a route made through the Admin API, and every other server', async () => {
    const { ports, configure, start } = await createInstallation();
    const echo = await openEcho();
    await configure(configYaml(ports));
    await start();

    const put = await fetch(`http://127.0.0.1:${ports.admin}/apisix/admin/stream_routes/1`, {
      method: 'PUT',
      body: JSON.stringify({ upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } }),
    });
    expect(put.status).toBe(201);
    await untilApplied(ports.control, 2);
    const client = await connectPeer(ports.stream);
    await client.send('hello');
    expect((await client.take(5)).toString()).toBe('hello');
    client.destroy();

    const http = await fetch(`http://127.0.0.1:${ports.http}/any`);
    expect([http.status, http.headers.get('content-type'), await http.text()]).toEqual([
      404,
      'text/plain; charset=utf-8',
      '{"error_msg":"404 Route Not Found"}\n',
    ]);
    const metrics = await fetch(`http://127.0.0.1:${ports.metrics}/apisix/prometheus/metrics`);
    expect(await metrics.text()).toContain(
      `apisix_stream_active_connections{listen_addr="127.0.0.1:${ports.stream}"}`,
    );
    await echo.close();
  });

  test('tells of itself in its pid file and run record, and takes them away when it stops', async () => {
    const { home, ports, configure, start, read } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();

    expect(await read('logs/nginx.pid')).toBe(`${process.pid}\n`);
    expect(readRunRecord(home)).toMatchObject({
      pid: process.pid,
      config: join(home, 'conf/config.yaml'),
      listeners: [`127.0.0.1:${ports.stream}`],
      reloads: 0,
      last_reload: null,
    });
    await gateway.stop();

    expect(readRunRecord(home)).toBeUndefined();
    await expect(read('logs/nginx.pid')).rejects.toThrow('ENOENT');
  });

  test('shows UDP ports as such', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(
      configYaml(ports).replace('stream_proxy: {', `stream_proxy: { udp: ["127.0.0.1:${ports.stream}"],`),
    );
    const { settings } = await start();

    expect(readRunRecord(home)?.listeners).toEqual([
      `127.0.0.1:${ports.stream}`,
      `127.0.0.1:${ports.stream}/udp`,
    ]);
    expect(banner({ env: {}, settings, home, configFile: 'config.yaml', readyAfterMs: 1 })).toContain(
      `  stream TCP   127.0.0.1:${ports.stream}\n  stream UDP   127.0.0.1:${ports.stream}\n`,
    );
  });

  test('keeps its routes over a restart', async () => {
    const { ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const url = `http://127.0.0.1:${ports.admin}/apisix/admin/stream_routes/kept`;
    const first = await start();
    await fetch(url, { method: 'PUT', body: '{}' });
    await first.stop();

    await start();

    expect((await fetch(url)).status).toBe(200);
  });

  test('makes an Admin key once when one is required and empty, readable by its owner only', async () => {
    const { home, ports, configure, start, read } = await createInstallation();
    await configure(configYaml(ports).replace('admin_key_required: false', 'admin_key_required: true'));
    const url = `http://127.0.0.1:${ports.admin}/apisix/admin/upstreams`;
    const first = await start();

    const key = (await read('data/admin.key')).trim();
    expect(key).toMatch(/^[A-Za-z]{32}$/);
    expect((await stat(join(home, 'data/admin.key'))).mode & 0o777).toBe(0o600);
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'X-API-KEY': key } })).status).toBe(200);

    await first.stop();
    await start();
    expect((await read('data/admin.key')).trim()).toBe(key);
  });
});

describe('the access log', () => {
  test('has a line for each session, and goes on in a new file when the former one was moved away', async () => {
    const { home, ports, configure, start, read } = await createInstallation();
    await configure(
      `${configYaml(ports)}  stream: { enable_access_log: true, access_log_format: "$session_reason" }\n`,
    );
    const gateway = await start();
    const visit = async (): Promise<void> => {
      const client = await connectPeer(ports.stream);
      await client.rest();
      client.destroy();
    };
    const file = join(home, 'logs', 'access_stream.log');
    await visit();
    await expect.poll(() => read('logs/access_stream.log')).toBe('ROUTE_NOT_FOUND\n');

    await rename(file, `${file}.1`);
    gateway.reopenLogs();
    await visit();
    await gateway.stop();

    expect(await read('logs/access_stream.log')).toBe('ROUTE_NOT_FOUND\n');
    expect(await read('logs/access_stream.log.1')).toBe('ROUTE_NOT_FOUND\n');
  });
});

describe('a reload', () => {
  test('moves listeners and servers to other ports', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();
    const moved = {
      ...ports,
      admin: ports.http,
      http: ports.admin,
      stream: ports.metrics,
      metrics: ports.stream,
    };

    await configure(configYaml({ ...moved, metrics: 0 }));
    await gateway.reload();

    expect(readRunRecord(home)).toMatchObject({
      listeners: [`127.0.0.1:${ports.metrics}`],
      reloads: 1,
      last_reload: { ok: true, pending: [] },
    });
    expect((await fetch(`http://127.0.0.1:${moved.admin}/apisix/admin/upstreams`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${moved.http}/apisix/admin/upstreams`)).status).toBe(404);
  });

  test('opens and closes the status API', async () => {
    const { ports, configure, start } = await createInstallation();
    const status = `  status: { ip: 127.0.0.1, port: ${ports.status} }\n`;
    const without = configYaml(ports).replace(status, '');
    await configure(without);
    const gateway = await start();
    const ready = `http://127.0.0.1:${ports.status}/status/ready`;
    await expect(fetch(ready)).rejects.toThrow('fetch failed');

    await configure(configYaml(ports));
    await gateway.reload();
    expect((await fetch(ready)).status).toBe(200);

    await configure(without);
    await gateway.reload();
    await expect(fetch(ready)).rejects.toThrow('fetch failed');
  });

  test('of a file with errors changes nothing and says what is wrong', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();

    await configure('apisix:\n  proxy_mode: udp\n');
    await gateway.reload();

    const record = readRunRecord(home);
    expect(record).toMatchObject({ reloads: 1, last_reload: { ok: false } });
    expect(record?.last_reload?.error).toContain(`${join(home, 'conf/config.yaml')}:2:`);
    expect((await fetch(`http://127.0.0.1:${ports.admin}/apisix/admin/upstreams`)).status).toBe(200);
  });

  test('that cannot have a port changes nothing and says which', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;

    await configure(configYaml({ ...ports, admin: 0 }, [taken]));
    await gateway.reload();

    const record = readRunRecord(home);
    expect(record).toMatchObject({ listeners: [`127.0.0.1:${ports.stream}`], last_reload: { ok: false } });
    expect(record?.last_reload?.error).toContain(`127.0.0.1:${taken}`);
    expect((await fetch(`http://127.0.0.1:${ports.admin}/apisix/admin/upstreams`)).status).toBe(200);
    other.close();
  });

  test('names the settings that wait for a restart', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();

    await configure(`${configYaml(ports)}  stream: { half_close: false }\n  error_log_level: info\n`);
    await gateway.reload();

    expect(readRunRecord(home)?.last_reload).toMatchObject({
      ok: true,
      pending: ['nginx_config.stream.half_close', 'nginx_config.error_log_level'],
    });
  });

  test('back to what the gateway started with waits for nothing', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    const gateway = await start();
    await configure(`${configYaml(ports)}  error_log_level: info\n`);
    await gateway.reload();

    await configure(configYaml(ports));
    await gateway.reload();

    expect(readRunRecord(home)?.last_reload).toMatchObject({ ok: true, pending: [] });
  });

  test('lets stream routes be written as soon as it turns stream mode on', async () => {
    const { ports, configure, start } = await createInstallation();
    await configure(configYaml(ports).replace('http&stream', 'http'));
    const gateway = await start();
    const url = `http://127.0.0.1:${ports.admin}/apisix/admin/stream_routes`;
    expect((await fetch(url)).status).toBe(400);

    await configure(configYaml(ports));
    await gateway.reload();

    expect((await fetch(url)).status).toBe(200);
  });
});

describe('a gateway that cannot start says why and leaves nothing open:', () => {
  test.for(['stream', 'http', 'admin', 'control', 'status', 'metrics'] as const)(
    'its %s port is in use',
    async (name) => {
      const { home, ports, configure, start } = await createInstallation();
      await configure(configYaml(ports));
      const other = createServer().listen(ports[name], '127.0.0.1');
      await once(other, 'listening');

      await expect(start()).rejects.toMatchObject({
        code: 'LISTENER_PORT_IN_USE',
        message: expect.stringContaining(`127.0.0.1:${ports[name]}`),
      });

      expect(readRunRecord(home)).toBeUndefined();
      other.close();
      await once(other, 'close');
      await start();
    },
  );

  test('another gateway has its database', async () => {
    const first = await createInstallation();
    await first.configure(configYaml(first.ports));
    await first.start();
    const second = await createInstallation();
    await second.configure(
      configYaml(second.ports).replace(
        'deployment:',
        `deployment:\n  embedded: { path: ${first.home}/data/apisix.db }`,
      ),
    );

    await expect(second.start()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  test('its database is damaged, which it leaves as it is', async () => {
    const { home, ports, configure, start, read } = await createInstallation();
    await configure(configYaml(ports));
    await (await start()).stop();
    await writeFile(join(home, 'data/apisix.db'), 'not a database');

    await expect(start()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(join(home, 'data/apisix.db')),
    });

    expect(await read('data/apisix.db')).toBe('not a database');
  });

  test('etcd is not there', async () => {
    const { ports, configure, start } = await createInstallation();
    await configure(
      configYaml(ports).replace(
        'deployment:',
        `deployment:\n  etcd: { host: ["http://127.0.0.1:${ports.stream}"], timeout: 1, startup_retry: 1 }`,
      ),
    );

    await expect(start()).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${ports.stream}`),
    });
  });

  test('a file stands where its folder has to be', async () => {
    const { home, ports, configure, start } = await createInstallation();
    await configure(configYaml(ports));
    await writeFile(join(home, 'logs'), '');

    await expect(start()).rejects.toMatchObject({
      code: 'HOME_UNUSABLE',
      message: expect.stringContaining(`the folder ${join(home, 'logs')} could not be made`),
    });
  });
});
