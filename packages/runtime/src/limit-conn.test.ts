import { BroadcastChannel } from 'node:worker_threads';
import { DatagramPeer, connectPeer, openDatagramEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { enterMany, openGreeter } from './testing/greeting.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

let server: TestServer;

beforeAll(async () => {
  server = await openGreeter();
});

afterAll(() => server.close());

/** Three at a time, the third after a wait that nobody notices. */
const threeAtATime = { conn: 2, burst: 1, default_conn_delay: 0.001, key: 'remote_addr' };

function upstream(): object {
  return { nodes: { [`${server.host}:${server.port}`]: 1 } };
}

function route(limit: object, more: object = {}): object {
  return { plugins: { 'limit-conn': limit }, upstream: upstream(), ...more };
}

async function openSessions({ gateway }: OpenGateway): Promise<number> {
  const { total } = await gateway.sessions.list({}, 0);
  return total;
}

describe.for([{ workers: 0 }, { workers: 2 }])('limit-conn with $workers worker threads', ({ workers }) => {
  test('closes sessions beyond conn and burst, and the log says why', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', route(threeAtATime));

    expect(await enterMany(opened.port, 5)).toHaveLength(3);

    expect(opened.gateway.counts().sessionsEnded.get('PLUGIN_REFUSED')).toBe(2);
    expect(await opened.logged('a session failed')).toMatchObject({
      level: 'warn',
      fields: {
        code: 'PLUGIN_REFUSED',
        route: '1',
        plugin: 'limit-conn',
        status: 503,
        why: 'expected at most 3 sessions at a time with the key "127.0.0.1", found as many',
      },
    });
  });

  test('counts sessions apart whose keys differ', async () => {
    const opened = await openGateway({ workers });
    const key = { key: '$remote_port $server_addr', key_type: 'var_combination' };
    await opened.put('stream_routes/1', route({ ...threeAtATime, ...key }));

    expect(await enterMany(opened.port, 5)).toHaveLength(5);
  });

  test('counts by the client when the key is empty, and says so', async () => {
    const opened = await openGateway({ workers });
    const key = { key: '$mqtt_client_id$ssl_preread_server_name', key_type: 'var_combination' };
    await opened.put('stream_routes/1', route({ ...threeAtATime, ...key }));

    expect(await enterMany(opened.port, 5)).toHaveLength(3);

    expect(
      await opened.logged('The value of the configured key is empty, use client IP instead'),
    ).toMatchObject({
      level: 'info',
      fields: { plugin: 'limit-conn', resource: 'stream_routes/1', key: key.key },
    });
  });

  test('lets the next one in when a session ends', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', route(threeAtATime));
    const [first] = await enterMany(opened.port, 3);

    first?.reset();
    await expect.poll(() => openSessions(opened)).toBe(2);

    expect(await enterMany(opened.port, 2)).toHaveLength(1);
  });

  test('lets those of the burst wait, who are counted as long as they do', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', route({ ...threeAtATime, conn: 1, default_conn_delay: 3600 }));
    await enterMany(opened.port, 1);
    const waiting = await connectPeer(opened.port);
    await expect.poll(() => openSessions(opened)).toBe(2);

    expect(await enterMany(opened.port, 1)).toEqual([]);

    expect(await opened.gateway.sessions.close({})).toBe(2);
    expect(await waiting.rest()).toMatchObject({ bytes: 0 });
    await expect.poll(() => openSessions(opened)).toBe(0);
    expect(await enterMany(opened.port, 1)).toHaveLength(1);
  });

  test('goes on counting when its route changes, and counts anew when its own configuration does', async () => {
    const opened = await openGateway({ workers });
    await opened.put('stream_routes/1', route(threeAtATime));
    await enterMany(opened.port, 2);

    await opened.put('stream_routes/1', route(threeAtATime, { desc: 'edited', remote_addr: '127.0.0.1' }));
    const former = await enterMany(opened.port, 2);
    expect(former).toHaveLength(1);

    await opened.put('stream_routes/1', route({ ...threeAtATime, burst: 2 }));
    expect(await enterMany(opened.port, 5)).toHaveLength(4);

    former[0]?.reset();
    await expect.poll(() => openSessions(opened)).toBe(6);
    expect(await enterMany(opened.port, 1)).toEqual([]);

    await opened.put('stream_routes/1', route(threeAtATime));
    expect(await enterMany(opened.port, 2)).toHaveLength(1);
  });

  test('counts the routes of a service together, and routes of their own apart', async () => {
    const opened = await openGateway({ workers });
    await opened.put('services/s', { plugins: { 'limit-conn': threeAtATime }, upstream: upstream() });
    await opened.put('stream_routes/1', { service_id: 's' });
    await enterMany(opened.port, 2);

    await opened.put('stream_routes/2', { service_id: 's', priority: 1 });
    expect(await enterMany(opened.port, 2)).toHaveLength(1);

    await opened.put('stream_routes/3', route(threeAtATime, { priority: 2 }));
    expect(await enterMany(opened.port, 4)).toHaveLength(3);
  });

  test('counts sessions on UDP, which do not wait', async () => {
    const opened = await openGateway({ workers, udpHosts: ['127.0.0.1'] });
    const echo = await openDatagramEcho();
    const clients = await Promise.all([DatagramPeer.open(), DatagramPeer.open(), DatagramPeer.open()]);
    onTestFinished(async () => {
      await Promise.all([echo.close(), ...clients.map((client) => client.close())]);
    });
    await opened.put('stream_routes/1', {
      plugins: { 'limit-conn': { ...threeAtATime, conn: 1, default_conn_delay: 3600 } },
      upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } },
    });
    const [first, second, third] = clients;

    expect(String((await first.ask('one', opened.udpPort)).bytes)).toBe('one');
    expect(String((await second.ask('two', opened.udpPort)).bytes)).toBe('two');
    await third.send('three', opened.udpPort);

    await expect.poll(() => opened.gateway.counts().sessionsEnded.get('PLUGIN_REFUSED')).toBe(1);
  });
});

test('sessions of a worker that died are no longer counted by limit-conn', async () => {
  const opened = await openGateway({
    workers: 2,
    workerProgram: new URL('./testing/mortal-worker.ts', import.meta.url),
  });
  await opened.put('stream_routes/1', route({ ...threeAtATime, conn: 12 }));
  const clients = await enterMany(opened.port, 14);
  expect(clients).toHaveLength(13);
  const { sessions } = await opened.gateway.sessions.list({}, 20);
  const survivors = sessions.filter(({ worker }) => worker !== 0).length;

  const channel = new BroadcastChannel('mortal-worker');
  channel.postMessage(0);
  await opened.logged('a worker died; its sessions are lost and it is being replaced');
  channel.close();

  expect(await enterMany(opened.port, 15)).toHaveLength(13 - survivors);
});
