import { settingsFrom } from '@apisix-ts/config';
import type { Store } from '@apisix-ts/config';
import { createGateway } from '@apisix-ts/runtime';
import type { Gateway } from '@apisix-ts/runtime';
import { etcdOptions, openEtcdStore } from '@apisix-ts/store-etcd';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import type { EtcdCluster } from '@apisix-ts/testkit';
import { expect, onTestFinished } from 'vitest';
import { base64, mark, upstreamsIn } from './racing-writes.ts';

export interface ClusterGatewayOptions {
  /** Of the members. Default: all of them. */
  readonly hosts?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  /** Of somebody who may write and read everything. */
  readonly token?: string;
}

/** A gateway on a cluster, with one stream route to an echo server and sessions that never stop. */
export interface ClusterGateway {
  readonly gateway: Gateway;
  /** Settles when the gateway follows etcd and has exactly the upstreams that etcd has. */
  readonly converged: () => Promise<void>;
  /** Settles after another round of traffic: the session that was opened first, and a new one. */
  readonly served: () => Promise<void>;
  /** Keys that came in another order than etcd wrote them. Nothing should. */
  readonly disorder: readonly string[];
}

/** Starts it at the first member. It is closed when the test is over. */
export async function openClusterGateway(
  cluster: EtcdCluster,
  { hosts = cluster.endpoints, user, password, token }: ClusterGatewayOptions = {},
): Promise<ClusterGateway> {
  const [echo, port] = await Promise.all([openEcho(), freePort()]);
  const route = { upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } };
  const leader = await cluster.leader();
  const put = { key: base64('/apisix/stream_routes/echo'), value: base64(JSON.stringify(route)) };
  await leader.request('kv/put', put, token);

  const disorder: string[] = [];
  const settings = {
    host: hosts,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
  };
  const options = { ...etcdOptions(settings), timeoutMs: 3_000, watchTimeoutMs: 3_000 };
  const store = watchOrder(openEtcdStore(options, { random: () => 0 }), disorder);
  const gateway = createGateway(
    settingsFrom({
      apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [`127.0.0.1:${port}`] } },
      nginx_config: { worker_processes: 1 },
    }),
    { store },
  );
  await gateway.start();
  const session = await connectPeer(port);
  onTestFinished(async () => {
    session.destroy();
    await gateway.close();
    await store.close();
    await echo.close();
  });

  return {
    gateway,
    disorder,
    async served() {
      await session.send('still');
      expect((await session.take(5)).toString()).toBe('still');
      const client = await connectPeer(port);
      await client.send('anew');
      expect((await client.take(4)).toString()).toBe('anew');
      client.destroy();
    },
    async converged() {
      await expect
        .poll(async () => {
          const held = [...gateway.documents.entries('upstreams')].map(([id, document]) => [
            id,
            mark(document),
          ]);
          const expected = await upstreamsIn(cluster, token).catch(() => undefined);
          return {
            state: gateway.status().store.state,
            difference: differences(Object.fromEntries(held), expected),
          };
        })
        .toEqual({ state: 'following', difference: [] });
    },
  };
}

/** Notes every key whose revision did not grow within one watch, or from its load to its watch. */
function watchOrder(store: Store, disorder: string[]): Store {
  return {
    ...store,
    async *watch(since, signal) {
      let last = since;
      for await (const change of store.watch(since, signal)) {
        for (const event of change.events) {
          const key = event.type === 'put' ? event.entry.key : event.key;
          if (change.revision <= last) disorder.push(`${key} at ${change.revision} after ${last}`);
        }
        last = change.revision;
        yield change;
      }
    },
  };
}

function differences(
  found: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  if (expected === undefined) return ['etcd does not answer'];
  const ids = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...ids]
    .filter((id) => found[id] !== expected[id])
    .map((id) => `${id}: ${found[id]}, and ${expected[id]} in etcd`);
}
