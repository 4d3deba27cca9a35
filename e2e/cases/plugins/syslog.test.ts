import { connectPeer, openEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startRsyslog } from '../../testbed/rsyslog.ts';
import type { Rsyslog } from '../../testbed/rsyslog.ts';

let echo: TestServer;
let rsyslog: Rsyslog;
let gateway: GatewayInstallation;

beforeAll(async () => {
  echo = await openEcho();
});

afterAll(() => echo.close());

beforeEach(async () => {
  rsyslog = await startRsyslog();
  gateway = await createGatewayInstallation();
  await gateway.configure(`proxy_mode: http&stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`);
  await gateway.apisixOk('start');
});

afterEach(async () => {
  await gateway.remove();
  await rsyslog.close();
});

async function putRoute(syslog: object, plugins: object = {}): Promise<void> {
  await gateway.put('/stream_routes/r', {
    plugins: { ...plugins, syslog: { host: '127.0.0.1', port: rsyslog.port, ...syslog } },
    upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } },
  });
}

/** A session of one exchange. */
async function hold(): Promise<void> {
  const client = await connectPeer(gateway.streamPort);
  await client.send('hello');
  await client.take(5);
  client.end();
  await client.rest();
}

const head = String.raw`syslog\.info apisix \d+ \d{4}-\d\d-\d\dT[\d:.]+Z`;

test.for(['tcp', 'udp'])('rsyslog is told of sessions over %s', async (type) => {
  const format = {
    client: '$remote_addr',
    bytes: '$bytes_sent',
    nested: { to: '$upstream_addr', status: '$status' },
  };
  await putRoute({ sock_type: type, batch_max_size: 1, log_format: format });

  await hold();

  const entry = `{"client":"127.0.0.1","bytes":"5","nested":{"to":"127.0.0.1:${echo.port}","status":"200"},"route_id":"r"}`;
  await rsyslog.received(
    new RegExp(`^im${type} ${head} ${entry.replaceAll(/[{}.]/g, String.raw`\$&`)}$`, 'm'),
  );
});

test('sessions that were refused are told of, in the format of the metadata', async () => {
  const metadata = { log_format: { status: '$status' } };
  await gateway.put('/plugin_metadata/syslog', metadata);
  await putRoute({ batch_max_size: 1 }, { 'ip-restriction': { blacklist: ['127.0.0.1'] } });
  expect(await gateway.control('/plugin_metadata/syslog')).toMatchObject(metadata);

  const client = await connectPeer(gateway.streamPort);
  await client.rest();

  await rsyslog.received(/ \{"status":"403","route_id":"r"\}$/m);
});

test('what waits is sent when its configuration goes, and when the gateway ends', async () => {
  const patient = { buffer_duration: 3600, inactive_timeout: 3600, flush_limit: 1_000_000 };
  await putRoute({ ...patient, log_format: { from: 'the first' } });
  await hold();
  await putRoute({ ...patient, log_format: { from: 'the second' } });
  await rsyslog.received(/"the first"/);
  await hold();

  await gateway.apisixOk('quit');

  await rsyslog.received(/"the second"/);
  expect(rsyslog.lines().filter((line) => line.includes('"from"'))).toHaveLength(2);
});

test('without a format nothing is sent, and the log says so', async () => {
  await putRoute({ batch_max_size: 1 });
  await hold();
  await expect.poll(() => gateway.errorLog()).toContain("syslog's log_format is not set");
  await gateway.put('/plugin_metadata/syslog', { log_format: { from: 'the metadata' } });
  await hold();

  await rsyslog.received(/"the metadata"/);
  expect(rsyslog.lines().filter((line) => line.includes('route_id'))).toHaveLength(1);
});

test('the Admin API says what is wrong with a configuration or the metadata', async () => {
  expect(
    await gateway.admin('PUT', '/stream_routes/r', { plugins: { syslog: { port: 514 } } }),
  ).toMatchObject({
    status: 400,
    body: {
      error_msg: 'failed to check the configuration of stream plugin [syslog]: property "host" is required',
    },
  });
  expect(await gateway.admin('PUT', '/plugin_metadata/syslog', { max_pending_entries: 0 })).toMatchObject({
    status: 400,
    body: {
      error_msg:
        'invalid configuration: property "max_pending_entries" validation failed: expected 0 to be at least 1',
    },
  });
});
