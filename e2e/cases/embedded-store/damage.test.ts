import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';

test('a damaged store is set aside, and the gateway does not start without being told what to go on with', async () => {
  const gateway = await createGatewayInstallation();
  onTestFinished(() => gateway.remove());
  await gateway.configure(`proxy_mode: http&stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`);
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/1', { upstream: { nodes: { '127.0.0.1:9': 1 } } });
  await gateway.apisixOk('stop');
  const data = join(gateway.home, 'data');
  const file = await open(join(data, 'apisix.db'), 'r+');
  await file.write(Buffer.alloc(4096, 0xab), 0, undefined, 8192);
  await file.close();

  const first = await gateway.apisix('start');
  const second = await gateway.apisix('start');

  expect(first.status).toBe(1);
  expect(first.stderr).toContain(`The store ${data}/apisix.db was found damaged at`);
  expect(first.stderr).toContain('(STORE_CORRUPT)');
  expect([second.status, lastLine(second.stderr)]).toEqual([1, lastLine(first.stderr)]);
  expect(await readdir(data)).toContainEqual(expect.stringMatching(/^apisix\.db\.damaged-/));

  await rm(join(data, 'apisix.db'));
  await gateway.apisixOk('start');
  expect(await gateway.admin('GET', '/stream_routes')).toMatchObject({ body: { total: 0 } });
});

/** On a slow machine a start says first that it is waiting. */
function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}
