import type { DocumentChange } from '@apisix-ts/config';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { FactCompiler } from './facts/compiler.ts';
import type { SessionTally } from './metrics/session-tallies.ts';
import { Publisher } from './publisher.ts';
import { SharedAdmissions } from './shared-admissions.ts';
import { SharedCounters } from './shared-counters.ts';
import { SharedNodeLoads } from './shared-node-loads.ts';
import { SharedWaiting } from './shared-waiting.ts';
import { WorkerPool } from './worker-pool.ts';
import { unreadSecrets } from './facts/secret-users.ts';

const noHeads = {
  proxyProtocol: false,
  trusted: [],
  tlsPassthrough: false,
  proxyProtocolToUpstream: 0,
} as const;

test('a worker that dies costs only its own sessions, and its replacement serves and counts on', async () => {
  const echo = await openEcho();
  const port = await freePort();
  const route: DocumentChange = {
    kind: 'stream_routes',
    id: 'r',
    document: { priority: 0, upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } },
  };
  const { promise: death, resolve: onDeath } = Promise.withResolvers<unknown>();
  const names = { follow: () => Promise.resolve(), unfollow() {}, addressesOf: () => [] };
  const loads = new SharedNodeLoads(1);
  const publisher = new Publisher(
    new FactCompiler({
      names: { hosts: names },
      onLateName: () => {},
      secrets: unreadSecrets,
      slots: loads,
      health: { follow() {}, unfollow() {} },
      certificates: { set() {}, delete() {} },
      keyring: [],
      log: () => {},
    }),
    () => {},
  );
  const counters = new SharedCounters(1);
  const tallies: SessionTally[] = [];
  const pool = new WorkerPool({
    threads: 1,
    worker: {
      counters: counters.memory,
      loads: loads.shared,
      admissions: new SharedAdmissions(1).shared,
      waiting: new SharedWaiting(1).shared,
      relay: 'auto',
      halfClose: true,
      udpSessions: 1,
      ticketKeys: [],
    },
    publisher,
    documents: () => [route],
    onLost: (worker) => loads.closeSessionsOf(worker),
    onNodeFailure: () => {},
    writeAccess: () => {},
    onTally: (tally) => tallies.push(tally),
    log: (_level, message, fields) => {
      if (message.startsWith('a worker died')) onDeath(fields);
    },
  });
  await pool.start();
  await pool.listen([
    { protocol: 'tcp', name: 'test', host: '127.0.0.1', port, slot: 0, heads: noHeads, limits: {} },
  ]);
  const lost = await connectPeer(port);
  await lost.send('one');
  await lost.take(3);

  // No checked document is like this, so the worker takes it for the defect that it is.
  const poison: DocumentChange = { kind: 'stream_routes', id: 'bad', document: { server_addr: 'nonsense' } };
  publisher.publish({ revision: 2, changes: [poison], rejections: [] });
  expect(await death).toMatchObject({ code: 'WORKER_DIED', worker: 0 });
  await lost.rest();
  await pool.settled();

  const client = await connectPeer(port);
  await client.send('two');
  expect((await client.take(3)).toString()).toBe('two');
  expect(counters.listener(0)).toMatchObject({ accepted: 2, closed: 1 });
  expect(pool.restarts).toBe(1);
  await pool.askAll('counts', undefined, (worker, { tally }) => {
    expect(worker).toBe(0);
    expect(tally.routes.size).toBe(0);
  });
  client.destroy();
  await pool.stop();
  // What was open at the end is told at the end.
  expect(tallies.flatMap(({ routes }) => [...routes])).toEqual([['r', 1]]);
  await pool.askAll('counts', undefined, () => expect.unreachable('a worker that has ended answers nothing'));
  await echo.close();
});
