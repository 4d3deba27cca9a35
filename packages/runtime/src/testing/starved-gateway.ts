/**
 * Run with a low descriptor limit: a gateway on TCP in front of two nodes at the ports named by the arguments. It prints
 * its own port, then obeys lines of its input: `starve` leaves it one descriptor, `feed` gives back the others, and both
 * are answered with `done`; at the end it prints what came of its sessions and its nodes.
 */
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import { freePort } from '@apisix-ts/testkit';
import { createGateway } from '../gateway.ts';

const port = await freePort();
const store = createMemoryStore();
const logged: unknown[] = [];
let access = '';
const gateway = createGateway(
  settingsFrom({
    apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [`127.0.0.1:${port}`] } },
    nginx_config: {
      worker_processes: 0,
      stream: { enable_access_log: true, access_log_format: '$session_reason $upstream_addr' },
    },
  }),
  {
    store,
    log: (_level, _message, fields) => void logged.push(fields?.['code']),
    writeAccess: (lines) => void (access += lines),
  },
);
await gateway.start();
const nodes = process.argv.slice(2).map((node) => [`127.0.0.1:${node}`, 1]);
const { revision } = await store.writer.put(
  'stream_routes/1',
  JSON.stringify({
    upstream: {
      nodes: Object.fromEntries(nodes),
      checks: {
        active: { type: 'tcp', unhealthy: { interval: 3600 } },
        passive: { unhealthy: { tcp_failures: 1 } },
      },
    },
  }),
);
await gateway.whenApplied(revision);
console.log(port);

const hoard: number[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'starve') starve();
  else for (const descriptor of hoard.splice(0)) closeSync(descriptor);
  console.log('done');
}
const statuses = gateway.status().health.flatMap(({ nodes: each }) => each.map(({ status }) => status));
await gateway.close();
console.log(JSON.stringify({ logged, access: access.trimEnd().split('\n'), statuses }));

function starve(): void {
  try {
    for (;;) hoard.push(openSync('/dev/null', 'r'));
  } catch {
    // None is left, which is what was wanted but for one.
    closeSync(hoard.pop() ?? -1);
  }
}
