import { once } from 'node:events';
import { freePort } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { processSignals } from '../signals.ts';
import { apisix, spawnApisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed, openConnection, openListener } from '../testing/listener.ts';
import { putResources } from '../testing/put-resources.ts';

describe('quit', () => {
  test('ends an idle gateway', async () => {
    const port = await freePort();
    const { home, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const gateway = await pid();

    const outcome = await apisix(['quit', '-p', home]);

    expect(outcome).toEqual({ status: 0, stdout: '', stderr: '' });
    expect([processSignals.send(gateway, 0), await isServed(port)]).toEqual(['gone', false]);
  });

  test('ends a gateway whose config.yaml was broken since', async () => {
    const { home, write } = await createInstallation(streamConfig({ tcp: [await freePort()] }));
    await apisix(['start', '-p', home]);
    await write('conf/config.yaml', 'apisix: { proxy_mode: both }\n');

    expect(await apisix(['quit', '-p', home])).toMatchObject({ status: 0 });
  });

  test('lets an open connection finish, and returns after it', async () => {
    const [port, admin, control] = await Promise.all([freePort(), freePort(), freePort()]);
    const { home } = await createInstallation(streamConfig({ tcp: [port], admin, control }));
    await apisix(['start', '-p', home]);
    const nodePort = await openListener((socket) => socket.pipe(socket));
    const upstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${nodePort}`]: 1 } };
    await putResources({ admin, control }, { 'stream_routes/1': { upstream } });
    const connection = await openConnection(port);
    expect(await echo(connection, 'before')).toBe('before');

    const quitting = spawnApisix(['quit', '-p', home]);
    const exited = once(quitting, 'exit');
    while (await isServed(port)) await new Promise(setImmediate);
    expect(await echo(connection, 'while quitting')).toBe('while quitting');
    expect(quitting.exitCode).toBe(null);
    connection.end();

    expect(await exited).toEqual([0, null]);
  });
});

async function echo(connection: Awaited<ReturnType<typeof openConnection>>, text: string): Promise<string> {
  const data = once(connection, 'data');
  connection.write(text);
  return String((await data)[0]);
}
