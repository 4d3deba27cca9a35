import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import { createGateway } from '@apisix-ts/runtime';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';

test('the README example proxies a TCP port in the calling thread', async () => {
  const echo = await openEcho();
  const port = await freePort();

  const store = createMemoryStore();
  const settings = settingsFrom({
    apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [port] } },
    nginx_config: { worker_processes: 0 },
  });
  const gateway = createGateway(settings, { store });
  await gateway.start();
  const { revision } = await store.writer.put(
    'stream_routes/1',
    JSON.stringify({ upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } }),
  );
  await gateway.whenApplied(revision);

  const client = await connectPeer(port);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');

  client.end();
  await client.closed;
  await gateway.close();
  await echo.close();
});
