import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { apisixCommand, createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startProcess } from '../../testbed/process.ts';
import type { RunningProcess } from '../../testbed/process.ts';

let echo: TestServer;
let gateway: GatewayInstallation;
let running: RunningProcess;
let client: Peer;

beforeAll(async () => {
  echo = await openEcho();
});

afterAll(() => echo.close());

/** A gateway in the foreground with one open session. */
beforeEach(async () => {
  gateway = await createGatewayInstallation();
  await gateway.configure(`proxy_mode: http&stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`);
  running = await startProcess(apisixCommand, ['start', '--foreground', '--home', gateway.home]);
  await running.waitForOutput(/is serving/);
  await gateway.put('/stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
  client = await connectPeer(gateway.streamPort);
  await client.send('hello');
  await client.take(5);

  return async () => {
    client.destroy();
    running.kill('SIGKILL');
    await running.exited;
    await gateway.remove();
  };
});

test('one Ctrl-C, however often it arrives at once, cuts the sessions and ends cleanly', async () => {
  running.kill('SIGINT');
  running.kill('SIGINT');

  expect(await running.exited).toEqual({ status: 0, signal: null });
  expect((await client.rest()).bytes).toBe(0);
  expect(existsSync(join(gateway.home, 'logs', 'nginx.pid'))).toBe(false);
  expect(existsSync(join(gateway.home, 'logs', 'apisix.json'))).toBe(false);
});

test('QUIT lets the session finish', async () => {
  running.kill('SIGQUIT');
  await expect.poll(() => connects(gateway.streamPort)).toBe(false);

  await client.send('still');
  expect((await client.take(5)).toString()).toBe('still');
  client.end();

  expect(await running.exited).toEqual({ status: 0, signal: null });
});

test('TERM during a QUIT cuts what is left and ends cleanly', async () => {
  running.kill('SIGQUIT');
  await expect.poll(() => connects(gateway.streamPort)).toBe(false);

  running.kill('SIGTERM');

  expect(await running.exited).toEqual({ status: 0, signal: null });
  expect((await client.rest()).bytes).toBe(0);
  expect(existsSync(join(gateway.home, 'logs', 'nginx.pid'))).toBe(false);
});

test('a second gateway on the same home does not start, and the first goes on', async () => {
  const second = await startProcess(apisixCommand, ['start', '--foreground', '--home', gateway.home]);
  onTestFinished(() => second.kill('SIGKILL'));

  expect(await second.exited).toMatchObject({ status: 1 });
  expect(second.output()).toContain('the old APISIX is still running, the new one will not start');
  await client.send('still');
  expect((await client.take(5)).toString()).toBe('still');
});

async function connects(port: number): Promise<boolean> {
  try {
    (await connectPeer(port)).destroy();
    return true;
  } catch {
    return false; // Refused: nothing listens any more.
  }
}
