/**
 * Run with a low descriptor limit: a gateway on UDP in front of the port named by the first argument. It prints its
 * own port, and how sessions ended once its input ends.
 */
import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import { freePort } from '@apisix-ts/testkit';
import { createGateway } from '../gateway.ts';

const port = await freePort();
const store = createMemoryStore();
const gateway = createGateway(
  settingsFrom({
    apisix: { proxy_mode: 'stream', stream_proxy: { udp: [`127.0.0.1:${port}`] } },
    nginx_config: { worker_processes: 0 },
  }),
  { store },
);
await gateway.start();
const { revision } = await store.writer.put(
  'stream_routes/1',
  JSON.stringify({ upstream: { nodes: { [`127.0.0.1:${process.argv[2]}`]: 1 } } }),
);
await gateway.whenApplied(revision);
console.log(port);

process.stdin.resume().on('end', () => {
  console.log(JSON.stringify(Object.fromEntries(gateway.counts().sessionsEnded)));
  void gateway.close();
});
