import { connectPeer, isUnheard, openEcho } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GatewayProcess } from './gateway-process.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

const log = `
  error_log_level: notice
  stream:
    enable_access_log: true
    access_log: logs/stream.log
    access_log_format: '$session_reason'
`;

/** A gateway with worker threads and an access log, and clients that it serves. */
async function openBusy(clients: number) {
  const { ports, configure, start, read } = await createInstallation();
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  await configure(`${configYaml(ports).replace('worker_processes: 0', 'worker_processes: 2')}${log}`);
  const gateway: GatewayProcess = await start();
  await fetch(`http://127.0.0.1:${ports.admin}/apisix/admin/stream_routes/1`, {
    method: 'PUT',
    body: JSON.stringify({ upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } }),
  });
  await untilApplied(ports.control, 2);
  const peers = await Promise.all(
    Array.from({ length: clients }, async () => {
      const peer = await connectPeer(ports.stream);
      onTestFinished(() => peer.destroy());
      await peer.send('hello');
      await peer.take(5);
      return peer;
    }),
  );
  return { gateway, ports, peers, read };
}

const cut = 'SESSION_CLOSED_BY_SHUTDOWN\n';

describe('the logs are complete', () => {
  test('after a stop, with a line for each session that was cut', async () => {
    const { gateway, read } = await openBusy(20);

    await gateway.stop();

    expect(await read('logs/stream.log')).toBe(cut.repeat(20));
    expect(await read('logs/error.log')).toContain('the gateway has stopped');
  });

  test('after a stop during a quit', async () => {
    const { gateway, ports, peers, read } = await openBusy(20);

    const quitting = gateway.quit();
    await gateway.stop();
    await quitting;

    expect(await read('logs/stream.log')).toBe(cut.repeat(20));
    for (const peer of peers) expect((await peer.rest()).bytes).toBe(0);
    await expect(connectPeer(ports.stream)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('a quit refuses new clients at once, and goes on answering those there are', async () => {
  const { gateway, ports, peers, read } = await openBusy(1);

  const quitting = gateway.quit();
  await expect.poll(() => isUnheard(ports.stream)).toBe(true);
  await peers[0]?.send('still');
  expect((await peers[0]?.take(5))?.toString()).toBe('still');
  const { total } = (await (await fetch(`http://127.0.0.1:${ports.control}/v1/connections`)).json()) as {
    total: number; // as documented
  };
  expect(total).toBe(1);
  peers[0]?.end();
  await quitting;

  expect(await read('logs/error.log')).toMatch(/quitting: open sessions may finish.*sessions.{1,3}1\b/);
  expect(await read('logs/stream.log')).toBe('OK\n');
});
