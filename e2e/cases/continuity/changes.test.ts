import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, openEcho, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer, TestServer } from '@apisix-ts/testkit';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startTraffic } from '../../testbed/traffic.ts';
import type { Traffic, TrafficReport } from '../../testbed/traffic.ts';

const sessions = 500;
const comingsPerSecond = 150;

let echo: TestServer;
let etcd: EtcdServer;
let gateway: GatewayInstallation;
let traffic: Traffic;
let others: readonly number[];
let before: TrafficReport;

/** One gateway, and one load on it, for everything that is changed here. */
beforeAll(async () => {
  [echo, etcd, gateway] = await Promise.all([openEcho(), startEtcd(), createGatewayInstallation()]);
  others = await Promise.all([freePort(), freePort(), freePort()]);
  await configure([], 1);
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', route(0));
  traffic = await startTraffic(gateway.streamPort, { sessions, comingsPerSecond });

  return async () => {
    const { failures } = await traffic.stop();
    await gateway.remove();
    await etcd.close();
    await echo.close();
    expect(failures).toEqual([]);
  };
});

beforeEach(() => {
  before = traffic.report();
});

/** What all of these are about: with clients that came and went since, and an exchange on every open session. */
async function expectNothingLost(): Promise<void> {
  await traffic.flows(50);
  expect(traffic.report().failures.slice(before.failures.length)).toEqual([]);
}

test('1 000 changes of a route lose no connection', async () => {
  let next = 1;
  const writer = async (): Promise<void> => {
    for (let number = next++; number <= 1_000; number = next++) {
      const { status } = await gateway.admin('PUT', '/stream_routes/1', route(number));
      expect(status).toBe(200);
    }
  };

  await Promise.all([writer(), writer(), writer(), writer()]);
  await gateway.put('/stream_routes/1', route(0));

  await expectNothingLost();
});

test('100 reloads that open and close other ports lose no connection', async () => {
  const [first = 0, second = 0, third = 0] = others;
  const wanted = [[first], [first, second], [second, third], []];
  const pid = Number(await readFile(join(gateway.home, 'logs', 'nginx.pid'), 'utf8'));

  for (let reload = 0; reload < 100; reload += 1) {
    const ports = wanted[reload % wanted.length] ?? [];
    await configure(ports, 1);
    // Most without the command, which takes longer to start than a reload takes.
    if (reload % 25 === 0) await gateway.apisixOk('reload');
    else await reloadBySignal(pid);
    expect(await openPorts()).toEqual([gateway.streamPort, ...ports]);
  }

  await expectNothingLost();
});

test('other lists of plugins lose no connection, and take effect', async () => {
  const names = ['ip-restriction', 'limit-conn', 'mqtt-proxy', 'traffic-split', 'syslog'];
  const lists = [names, [], ['ip-restriction'], ['limit-conn', 'ip-restriction']];
  await gateway.put('/stream_routes/1', {
    ...route(0),
    plugins: {
      'ip-restriction': { whitelist: ['127.0.0.1'] },
      'limit-conn': { conn: 100_000, burst: 0, default_conn_delay: 1, key: 'remote_addr' },
    },
  });

  for (let change = 0; change < 40; change += 1) {
    const list = lists[change % lists.length] ?? [];
    await configure([], 1, list);
    if (change % 5 === 0) await gateway.apisixOk('reload');
    else expect(await gateway.admin('PUT', '/plugins/reload')).toMatchObject({ status: 200, text: 'done' });
    const { body } = await gateway.admin('GET', '/plugins/list?subsystem=stream');
    expect(body).toEqual(names.filter((name) => list.includes(name)));
  }
  await configure([], 1);
  await gateway.apisixOk('reload');

  await expectNothingLost();
});

test('more workers lose no connection, and serve after a reload', async () => {
  await configure([], 3);

  const { stdout } = await gateway.apisixOk('reload');

  expect(stdout).not.toContain('wait for a restart');
  expect(await gateway.control('/config/status')).toMatchObject({
    workers: [{ id: 0 }, { id: 1 }, { id: 2 }],
  });
  await expectNothingLost();
});

test('a store that goes away and comes back loses no connection', async () => {
  await etcd.stop();
  await expect.poll(() => gateway.control('/config/status')).toMatchObject({ store: { state: 'away' } });
  await traffic.flows(50);

  await etcd.restart();

  await expect.poll(() => gateway.control('/config/status')).toMatchObject({ store: { state: 'following' } });
  await gateway.put('/stream_routes/1', route(1));
  await expectNothingLost();
});

/** Each number is another document, with the same effect. */
function route(number: number): object {
  return {
    upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 + (number % 7) }, retries: number % 3 },
    labels: { number: `${number}` },
  };
}

async function configure(
  more: readonly number[],
  workers: number,
  plugins?: readonly string[],
): Promise<void> {
  const ports = [gateway.streamPort, ...more].join(', ');
  await gateway.configure(
    `proxy_mode: http&stream\nstream_proxy: { tcp: [${ports}] }`,
    `etcd: { host: ["${etcd.endpoint}"] }`,
  );
  await appendFile(
    join(gateway.home, 'conf', 'config.yaml'),
    `nginx_config:\n  worker_processes: ${workers}\n${plugins === undefined ? '' : `stream_plugins: ${JSON.stringify(plugins)}\n`}`,
  );
}

/** As the command does it. */
async function reloadBySignal(pid: number): Promise<void> {
  const { reloads } = await runRecord();
  process.kill(pid, 'SIGHUP');
  await expect.poll(runRecord, { interval: 5 }).toMatchObject({
    reloads: reloads + 1,
    last_reload: { ok: true, pending: [] },
  });
}

interface RunRecord {
  readonly reloads: number;
}

async function runRecord(): Promise<RunRecord> {
  // The gateway replaces it as a whole.
  return JSON.parse(await readFile(join(gateway.home, 'logs', 'apisix.json'), 'utf8')) as RunRecord;
}

async function openPorts(): Promise<readonly number[]> {
  const { listeners } = (await gateway.control('/config/status')) as { listeners: { port: number }[] };
  return listeners.map(({ port }) => port);
}
