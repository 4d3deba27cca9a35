import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { apisixCommand, createGatewayInstallation } from '../../testbed/gateway.ts';
import { startProcess } from '../../testbed/process.ts';

test('a full disk refuses writes with 503, everything else goes on, and so do writes once there is space', async ({
  skip,
}) => {
  const gateway = await createGatewayInstallation();
  onTestFinished(() => gateway.remove());
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  const disk = join(gateway.home, 'disk');
  await mkdir(disk);
  await gateway.configure(
    `proxy_mode: http&stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`,
    `embedded: { path: disk/apisix.db }`,
  );
  // A disk of 4 MB that only this process sees, and that goes with it. A quarter is taken.
  const mount = `mount -t tmpfs -o size=4m none ${disk} || { echo no mount; exit; }`;
  const script = `${mount}; head -c 1000000 /dev/zero > ${disk}/ballast; exec "$@"`;
  const command = [apisixCommand, 'start', '--foreground', '--home', gateway.home];
  const running = await startProcess('unshare', [
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    script,
    'sh',
    ...command,
  ]);
  onTestFinished(() => running.kill('SIGKILL'));
  await running.waitForOutput(/is serving|no mount|unshare failed/);
  if (!/is serving/.test(running.output())) skip('this user may not mount a file system');
  await gateway.put('/stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });

  const written: string[] = [];
  let refused = await gateway.admin('GET', '/upstreams');
  for (let n = 0; n < 200 && refused.status < 300; n += 1) {
    refused = await gateway.admin('PUT', `/upstreams/u${n}`, largeUpstream);
    if (refused.status < 300) written.push(`u${n}`);
  }

  expect(written.length).toBeGreaterThan(0);
  expect(refused).toMatchObject({
    status: 503,
    body: {
      error_msg: `The store ${disk}/apisix.db cannot grow: the disk, a quota or the limit on file sizes is used up; nothing was written.`,
    },
  });
  expect(await gateway.admin('GET', `/upstreams/u${written.length}`)).toMatchObject({ status: 404 });
  expect(await gateway.admin('GET', `/upstreams/${written.at(-1)}`)).toMatchObject({ status: 200 });
  const client = await connectPeer(gateway.streamPort);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  client.destroy();

  await rm(`/proc/${running.pid}/root${disk}/ballast`);

  expect(await gateway.admin('PUT', '/upstreams/after', largeUpstream)).toMatchObject({ status: 201 });
  expect(await gateway.admin('GET', '/upstreams')).toMatchObject({ body: { total: written.length + 1 } });
});

/** Some 60 kB. */
const largeUpstream = {
  nodes: Array.from({ length: 1500 }, (_, n) => ({
    host: `10.0.${n >> 8}.${n & 255}`,
    port: 3306,
    weight: 1,
  })),
};
