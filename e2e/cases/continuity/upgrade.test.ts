import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DatagramPeer,
  connectPeer,
  freePort,
  openDatagramEcho,
  openEcho,
  openServer,
} from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startTraffic } from '../../testbed/traffic.ts';

let echo: TestServer;
let gateway: GatewayInstallation;

beforeAll(async () => {
  echo = await openEcho();
});

afterAll(() => echo.close());

beforeEach(async () => {
  gateway = await createGatewayInstallation();
  await configure([gateway.streamPort], 2);

  return () => gateway.remove();
});

test('two upgrades under load lose no connection, no byte and no answer of the Admin API', async () => {
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', route('1'));
  const first = await pid();
  const traffic = await startTraffic(gateway.streamPort, { sessions: 300, comingsPerSecond: 150 });
  const writes = writeOn();

  await gateway.apisixOk('upgrade');
  const second = await pid();
  await traffic.flows(50);
  await configure([gateway.streamPort], 1);
  const { stdout } = await gateway.apisixOk('upgrade');
  const third = await pid();
  await traffic.flows(50);
  const written = await writes.stop();

  expect(new Set([first, second, third]).size).toBe(3);
  expect(stdout).toContain(`process ${third} serves; process ${second} ends when its connections have ended`);
  // What it had has ended; those that were open at the start are served by the first process to their end.
  await expect.poll(() => isRunning(second)).toBe(false);
  expect([isRunning(first), isRunning(third)]).toEqual([true, true]);
  expect((await traffic.stop()).failures).toEqual([]);
  expect(written.problems).toEqual([]);
  expect((await gateway.admin('GET', '/upstreams/u')).body).toMatchObject({ value: { desc: written.last } });
  expect(await gateway.control('/config/status')).toMatchObject({ workers: [{ id: 0 }] });
  await expect.poll(() => isRunning(first)).toBe(false);
  expect(await pid()).toBe(third);
  await gateway.apisixOk('stop');
});

test('where the new gateway does not come up, the one that runs goes on, with its store', async () => {
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', route('1'));
  const before = await pid();
  const traffic = await startTraffic(gateway.streamPort, { sessions: 20, comingsPerSecond: 50 });
  const taken = await openServer();
  onTestFinished(() => taken.close());
  await configure([gateway.streamPort, taken.port], 2);

  const { status, stderr } = await gateway.apisix('upgrade');

  expect(status).toBe(1);
  expect(stderr).toContain(`process ${before} goes on, as no other took its place`);
  expect(stderr).toContain(`127.0.0.1:${taken.port}: the port is in use`);
  expect(await pid()).toBe(before);
  await gateway.put('/stream_routes/1', route('2'));
  await traffic.flows(20);
  expect((await traffic.stop()).failures).toEqual([]);
});

test('closes the ports that the new gateway does not have, and opens those that only it has', async () => {
  const [former, later] = [gateway.streamPort, await freePort()];
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', route('1'));
  await configure([later], 2);

  await gateway.apisixOk('upgrade');

  const client = await connectPeer(later);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  client.destroy();
  await expect.poll(() => connectPeer(former).catch((error: Error) => error.message)).toMatch('ECONNREFUSED');
});

test('what is drained stays so', async () => {
  const other = await openServer();
  onTestFinished(() => other.close());
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', {
    upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1, [`127.0.0.1:${other.port}`]: 1 } },
  });
  await gateway.apisixOk('drain', 'node', `127.0.0.1:${other.port}`);
  const before = await gateway.control('/drain');

  await gateway.apisixOk('upgrade');

  expect(await gateway.control('/drain')).toEqual(before);
  for (let nth = 0; nth < 4; nth += 1) {
    const client = await connectPeer(gateway.streamPort);
    await client.send('hello');
    expect((await client.take(5)).toString()).toBe('hello');
    client.destroy();
  }
});

test('a UDP client that goes on sending is served by the new gateway', async () => {
  const udpEcho = await openDatagramEcho();
  onTestFinished(() => udpEcho.close());
  await configure([gateway.streamPort], 2, [gateway.streamPort]);
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${udpEcho.port}`]: 1 } } });
  const former = await pid();
  const client = await DatagramPeer.open();
  onTestFinished(() => client.close());
  expect(String((await client.ask('before', gateway.streamPort)).bytes)).toBe('before');

  await gateway.apisixOk('upgrade');
  // Until it ends it may take a datagram, and its answer may be lost.
  await expect.poll(() => isRunning(former)).toBe(false);

  expect(String((await client.ask('after', gateway.streamPort)).bytes)).toBe('after');
});

/** Writes an upstream through the Admin API again and again, one after the other. */
function writeOn(): { stop(): Promise<{ problems: readonly string[]; last: string }> } {
  const ending = new AbortController();
  const problems: string[] = [];
  let last = 0;
  const write = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      last += 1;
      const body = { desc: `${last}`, nodes: { '127.0.0.1:9': 1 } };
      try {
        const { status, body: answer } = await gateway.admin('PUT', '/upstreams/u', body);
        if (status !== 200 && status !== 201) problems.push(`${status} ${JSON.stringify(answer)}`);
      } catch (error) {
        problems.push(String(error instanceof Error ? (error.cause ?? error) : error));
      }
    }
  };
  const writer = write();
  return {
    async stop() {
      ending.abort();
      await writer;
      return { problems, last: `${last}` };
    },
  };
}

function route(number: string): object {
  return { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } }, labels: { number } };
}

async function configure(
  tcp: readonly number[],
  workers: number,
  udp: readonly number[] = [],
): Promise<void> {
  const list = (ports: readonly number[]): string => ports.map((port) => `"127.0.0.1:${port}"`).join(', ');
  await gateway.configure(
    `proxy_mode: http&stream\nstream_proxy: { tcp: [${list(tcp)}]${udp.length === 0 ? '' : `, udp: [${list(udp)}]`} }`,
  );
  await appendFile(
    join(gateway.home, 'conf', 'config.yaml'),
    `nginx_config:\n  worker_processes: ${workers}\n`,
  );
}

async function pid(): Promise<number> {
  return Number(await readFile(join(gateway.home, 'logs', 'nginx.pid'), 'utf8'));
}

function isRunning(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch {
    return false; // No such process.
  }
}
