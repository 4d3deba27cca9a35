import { DatagramPeer, connectPeer, openDatagramEcho, openEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

let echo: TestServer;

beforeAll(async () => {
  echo = await openEcho();
});

afterAll(() => echo.close());

/** Clients of the tests come from 127.0.0.1. */
const [closed, open] = [{ blacklist: ['127.0.0.0/8'] }, { blacklist: ['192.0.2.1'] }];

function route(plugins: object, more: object = {}): object {
  return { plugins, upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } }, ...more };
}

/** Whether a client gets through to the echo server. Otherwise it is closed without a byte. */
async function isServed({ port }: OpenGateway): Promise<boolean> {
  const client = await connectPeer(port);
  try {
    await client.send('hello');
    return (await client.take(5)).toString() === 'hello';
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

describe.for([{ workers: 0 }, { workers: 2 }])('plugins with $workers worker threads', ({ workers }) => {
  test('a plugin decides who gets through, and the log says why', async () => {
    const opened = await openGateway({ workers, accessLogFormat: '$status $session_reason $upstream_addr' });

    await opened.put('stream_routes/1', route({ 'ip-restriction': open }));
    expect(await isServed(opened)).toBe(true);
    await opened.put('stream_routes/1', route({ 'ip-restriction': { ...closed, response_code: 404 } }));
    expect(await isServed(opened)).toBe(false);

    expect(await opened.logged('a session failed')).toMatchObject({
      level: 'warn',
      fields: {
        code: 'PLUGIN_REFUSED',
        route: '1',
        plugin: 'ip-restriction',
        status: 404,
        why: 'Your IP address is not allowed',
      },
    });
    expect(opened.gateway.counts().sessionsEnded.get('PLUGIN_REFUSED')).toBe(1);
    await expect
      .poll(() => opened.access().split('\n').toSorted())
      .toEqual(['', expect.stringMatching(/^200 OK 127/), '404 PLUGIN_REFUSED -']);
  });

  test('a plugin of a service is there for all its routes, unless a route has it itself', async () => {
    const opened = await openGateway({ workers });
    await opened.put('services/s', { plugins: { 'ip-restriction': closed } });

    await opened.put('stream_routes/1', route({}, { service_id: 's' }));
    expect(await isServed(opened)).toBe(false);
    await opened.put('stream_routes/1', route({ 'ip-restriction': open }, { service_id: 's' }));
    expect(await isServed(opened)).toBe(true);
    await opened.put('stream_routes/1', route({}, { service_id: 's' }));
    await opened.put('services/s', { plugins: {} });
    expect(await isServed(opened)).toBe(true);
  });

  test('one that is switched off does not run', async () => {
    const opened = await openGateway({ workers });

    await opened.put('stream_routes/1', route({ 'ip-restriction': { ...closed, _meta: { disable: true } } }));

    expect(await isServed(opened)).toBe(true);
  });

  test('one with a filter looks only at sessions for which it holds', async () => {
    const opened = await openGateway({ workers });
    const filtered = (filter: readonly unknown[]): object =>
      route({ 'ip-restriction': { ...closed, _meta: { filter } } });

    await opened.put('stream_routes/1', filtered([['remote_addr', 'ipmatch', ['192.0.2.0/24']]]));
    expect(await isServed(opened)).toBe(true);
    await opened.put('stream_routes/1', filtered([['server_port', '==', opened.port]]));
    expect(await isServed(opened)).toBe(false);
    await opened.put('stream_routes/1', filtered([['server_port', '?', 1]]));
    expect(await isServed(opened)).toBe(false);
  });

  test('datagrams of refused clients are dropped', async () => {
    const opened = await openGateway({ workers, udpHosts: ['127.0.0.1'] });
    const udpEcho = await openDatagramEcho();
    const client = await DatagramPeer.open();
    onTestFinished(async () => {
      await Promise.all([udpEcho.close(), client.close()]);
    });
    const upstream = { nodes: { [`127.0.0.1:${udpEcho.port}`]: 1 } };

    await opened.put('stream_routes/1', { plugins: { 'ip-restriction': closed }, upstream });
    await client.send('lost', opened.udpPort);
    await expect.poll(() => opened.gateway.counts().sessionsEnded.get('PLUGIN_REFUSED')).toBe(1);
    await opened.put('stream_routes/1', { plugins: { 'ip-restriction': open }, upstream });

    expect(String((await client.ask('found', opened.udpPort)).bytes)).toBe('found');
  });

  test('another list of plugins takes effect at once, with all that is stored', async () => {
    const opened = await openGateway({ workers });
    const { gateway } = opened;
    await opened.put('stream_routes/1', route({ 'ip-restriction': closed }));
    await opened.put('services/s', { plugins: { 'ip-restriction': closed } });

    await gateway.reloadPlugins({ stream_plugins: [] });
    expect(await isServed(opened)).toBe(true);
    expect([...gateway.plugins]).toEqual([]);
    expect(await opened.logged('a resource does not do all that it says')).toMatchObject({
      fields: {
        reason: 'plugin "ip-restriction" is not in stream_plugins of config.yaml: it is served without',
      },
    });

    await gateway.reload({ ...opened.withPorts(opened.port), stream_plugins: ['ip-restriction', 'no-such'] });
    expect(await isServed(opened)).toBe(false);
    expect(opened.lines).toContainEqual({
      level: 'warn',
      message: 'stream_plugins names a plugin that does not exist',
      fields: { plugin: 'no-such' },
    });
  });

  test('a list is refused with which a stored resource is wrong, and nothing changes', async () => {
    const opened = await openGateway({ workers });
    const { gateway } = opened;
    await gateway.reloadPlugins({ stream_plugins: [] });
    await opened.put('stream_routes/1', route({ 'ip-restriction': { whitelist: ['nobody'] } }));

    const wanted = { stream_plugins: ['ip-restriction'] };

    await expect(gateway.reloadPlugins(wanted)).rejects.toMatchObject({
      code: 'PLUGINS_UNUSABLE',
      message: expect.stringContaining(
        'stream_routes/1: failed to check the configuration of stream plugin [ip-restriction]: invalid ip address: nobody',
      ),
    });
    await expect(gateway.reload({ ...opened.withPorts(opened.port), ...wanted })).rejects.toMatchObject({
      code: 'PLUGINS_UNUSABLE',
    });
    expect([...gateway.plugins]).toEqual([]);
    expect(await isServed(opened)).toBe(true);
  });
});

test('plugins change while sessions go on, and those stay as they were', async () => {
  const opened = await openGateway({ workers: 2 });
  await opened.put('stream_routes/1', route({ 'ip-restriction': open }));
  const client = await connectPeer(opened.port);
  await client.send('one');
  expect((await client.take(3)).toString()).toBe('one');

  await opened.put('stream_routes/1', route({ 'ip-restriction': closed }));
  expect(await isServed(opened)).toBe(false);
  await opened.gateway.reloadPlugins({ stream_plugins: [] });

  await client.send('two');
  expect((await client.take(3)).toString()).toBe('two');
  client.destroy();
});
