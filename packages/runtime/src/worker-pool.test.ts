import type { DocumentChange } from '@apisix-ts/config';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import type { Peer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { FactCompiler } from './facts/compiler.ts';
import type { SessionTally } from './metrics/session-tallies.ts';
import { Publisher } from './publisher.ts';
import { SharedAdmissions } from './shared-admissions.ts';
import { SharedCounters } from './shared-counters.ts';
import { SharedNodeLoads } from './shared-node-loads.ts';
import { SharedProgress } from './shared-progress.ts';
import { SharedSessionCounts } from './shared-session-counts.ts';
import { SharedWaiting } from './shared-waiting.ts';
import { WorkerPool } from './worker-pool.ts';
import type { WorkerLink } from './workers/worker-link.ts';
import { unreadSecrets } from './facts/secret-users.ts';

const noHeads = {
  proxyProtocol: false,
  trusted: [],
  tlsPassthrough: false,
  proxyProtocolToUpstream: 0,
} as const;

interface OpenPool {
  readonly pool: WorkerPool;
  readonly publisher: Publisher;
  readonly counters: SharedCounters;
  /** What workers told of sessions that ended. */
  readonly tallies: readonly SessionTally[];
  /** All there have been. */
  readonly links: readonly WorkerLink[];
  readonly port: number;
  /** What the log says of the first worker that died. */
  readonly death: Promise<unknown>;
}

/** Workers with a listener, and a route to an echo server. */
async function openPool(threads: number): Promise<OpenPool> {
  const echo = await openEcho();
  const port = await freePort();
  const route: DocumentChange = {
    kind: 'stream_routes',
    id: 'r',
    document: { priority: 0, upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } },
  };
  const { promise: death, resolve: onDeath } = Promise.withResolvers<unknown>();
  const names = { follow: () => Promise.resolve(), unfollow() {}, addressesOf: () => [] };
  const loads = new SharedNodeLoads(threads);
  const links: WorkerLink[] = [];
  class WatchedPublisher extends Publisher {
    override add(link: WorkerLink, documents: readonly DocumentChange[]): void {
      links.push(link);
      super.add(link, documents);
    }
  }
  const progress = new SharedProgress(threads);
  const publisher = new WatchedPublisher(
    new FactCompiler({
      names: { hosts: names },
      onLateName: () => {},
      secrets: unreadSecrets,
      slots: loads,
      health: { follow() {}, unfollow() {} },
      certificates: { set() {}, delete() {} },
      keyring: [],
      plugins: new Map(),
      log: () => {},
    }),
    progress,
    () => {},
  );
  const counters = new SharedCounters(threads);
  const tallies: SessionTally[] = [];
  const pool = new WorkerPool({
    threads,
    room: threads,
    reusePort: threads > 1,
    worker: {
      counters: counters.memory,
      loads: loads.shared,
      admissions: new SharedAdmissions(threads).shared,
      waiting: new SharedWaiting(threads).shared,
      progress: progress.shared,
      sessionCounts: new SharedSessionCounts(threads).shared,
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
  onTestFinished(async () => {
    await pool.stop();
    await echo.close();
  });
  return { pool, publisher, counters, tallies, links, port, death };
}

/** Ends a worker as a defect would: no compiled route has such an address. */
function kill(link: WorkerLink | undefined): void {
  const facts = { id: 'bad', priority: 0, serverAddr: 'nonsense' };
  link?.apply(0, [{ kind: 'route', key: 'bad', facts }], true);
}

async function answers(client: Peer): Promise<boolean> {
  try {
    await client.send('hello');
    return (await client.take(5)).toString() === 'hello';
  } catch {
    return false; // Refused a byte, or cut off.
  }
}

test('a worker that dies costs only its own sessions, and its replacement serves and counts on', async () => {
  const { pool, counters, tallies, links, port, death } = await openPool(1);
  const lost = await connectPeer(port);
  await lost.send('one');
  await lost.take(3);

  kill(links[0]);
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
});

test('what is drained is drained in the worker that replaces one', async () => {
  const { pool, links, port, death } = await openPool(1);
  pool.setDrains([{ kind: 'route', name: 'r', since: 0 }]);
  kill(links[0]);
  await death;
  await pool.settled();

  expect(await answers(await connectPeer(port))).toBe(false);

  pool.setDrains([]);
  // Asked after it was told, so it has been.
  await pool.askAll('counts', undefined, () => {});
  const client = await connectPeer(port);
  onTestFinished(() => client.destroy());
  expect(await answers(client)).toBe(true);
});

test('a large load goes on when a worker dies in the middle of it', async () => {
  const { pool, publisher, links, death } = await openPool(2);
  const changes = Array.from({ length: 10_000 }, (_, index) => ({
    kind: 'stream_routes',
    id: `r${index}`,
    document: { priority: 0, server_port: 1 + index },
  }));

  kill(links[0]);
  publisher.publish({ revision: 2, changes, rejections: [] });
  await publisher.whenSent();
  await publisher.whenApplied(2);
  await death;
  await pool.settled();

  expect([...publisher.revisions.values()]).toEqual([2, 2]);
});

test.runIf(process.platform === 'linux')(
  'while a worker dies and is replaced, the sessions of the others go on, and new clients are served',
  async () => {
    const { pool, links, port, death } = await openPool(2);
    const sessions = await Promise.all(Array.from({ length: 100 }, () => connectPeer(port)));
    onTestFinished(() => sessions.forEach((session) => session.destroy()));
    expect(await Promise.all(sessions.map(answers))).not.toContain(false);
    const replaced = new AbortController();
    let newcomers = 0;
    const comings = async (): Promise<void> => {
      while (!replaced.signal.aborted || newcomers < 100) {
        const client = await connectPeer(port);
        expect(await answers(client)).toBe(true);
        client.destroy();
        newcomers += 1;
      }
    };

    kill(links.find(({ index }) => index === 0));
    await death;
    // What was in the queue of its own listener is lost with it; whoever comes from now on is not.
    const came = Promise.all([comings(), comings(), comings()]);
    await pool.settled();
    replaced.abort();
    await came;

    const alive = (await Promise.all(sessions.map(answers))).filter((isAlive) => isAlive).length;
    expect(alive).toBeGreaterThan(0);
    expect(alive).toBeLessThan(100);
    expect(links.map(({ index }) => index).toSorted((left, right) => left - right)).toEqual([0, 0, 1]);
  },
);
