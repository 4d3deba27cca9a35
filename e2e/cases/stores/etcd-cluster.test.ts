import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEtcdCluster } from '@apisix-ts/testkit';
import type { EtcdCluster, EtcdMember } from '@apisix-ts/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openClusterGateway } from '../../testbed/cluster-gateway.ts';
import { raceWrites } from '../../testbed/racing-writes.ts';

const WRITES = 1_000;

let cluster: EtcdCluster;

beforeAll(async () => {
  cluster = await startEtcdCluster();
});

afterAll(() => cluster.close());

beforeEach(() => cluster.replace());

describe('through 1 000 racing writes traffic flows, and the gateway ends up with what etcd has, when', () => {
  test('the leader is killed, and comes back', async () => {
    const { converged, served, disorder } = await openClusterGateway(cluster);
    const writes = raceWrites(cluster, WRITES);
    await writes.reached(WRITES / 4);
    const leader = await cluster.leader();

    await leader.stop();
    await served();
    await writes.reached(WRITES / 2);
    await leader.restart();
    await writes.done;

    await served();
    await converged();
    expect(disorder).toEqual([]);
  });

  test('the member that it watches is frozen', async () => {
    const { converged, served, disorder } = await openClusterGateway(cluster);
    const first = firstOf(cluster);
    const writes = raceWrites(cluster, WRITES);
    await writes.reached(WRITES / 4);

    first.pause();
    onTestFinished(() => first.resume());
    await served();
    await writes.done;
    // By way of the other members.
    await converged();
    first.resume();

    await served();
    await converged();
    expect(disorder).toEqual([]);
  });

  test.for(['network namespaces', 'proxies'] as const)(
    'the member that it watches is cut off from the others (%s)',
    async (kind, context) => {
      const own = kind === cluster.partitionedBy ? cluster : await clusterForTest();
      if (own.partitionedBy !== kind) context.skip('network namespaces need root and `ip netns`');
      const { converged, served, disorder } = await openClusterGateway(own);
      const first = firstOf(own);
      const writes = raceWrites(own, WRITES);
      await writes.reached(WRITES / 4);

      await own.isolate(first);
      onTestFinished(() => own.heal());
      await served();
      await writes.done;
      await converged();
      await own.heal();

      await served();
      await converged();
      expect(disorder).toEqual([]);
    },
  );

  test('it knows only the member that is cut off from the others', async () => {
    const first = firstOf(cluster);
    const { gateway, converged, served, disorder } = await openClusterGateway(cluster, {
      hosts: [first.endpoint],
    });
    const writes = raceWrites(cluster, WRITES);
    await writes.reached(WRITES / 4);

    await cluster.isolate(first);
    onTestFinished(() => cluster.heal());
    await expect.poll(() => gateway.status().store.state).toBe('away');
    await served();
    await cluster.heal();
    await writes.done;

    await served();
    await converged();
    expect(disorder).toEqual([]);
  });

  test('etcd is compacted while it is cut off from all of it', async () => {
    const { gateway, converged, served, disorder } = await openClusterGateway(cluster);
    await raceWrites(cluster, 100).done;
    await converged();

    const open = cluster.members.map(({ gate }) => gate.shut());
    const writes = raceWrites(cluster, WRITES);
    await expect.poll(() => gateway.status().store.state).toBe('away');
    await writes.done;
    await compact(cluster);
    await served();
    for (const openAgain of open) openAgain();

    await converged();
    await served();
    expect(disorder).toEqual([]);
  });

  test('etcd is restored from a backup, so its revision goes back', async () => {
    const { gateway, converged, served } = await openClusterGateway(cluster);
    const folder = await mkdtemp(join(tmpdir(), 'backup-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await raceWrites(cluster, 100).done;
    await cluster.saveSnapshot(join(folder, 'backup.db'));
    await raceWrites(cluster, WRITES).done;
    await converged();
    const before = gateway.status().revision;

    await cluster.replace(join(folder, 'backup.db'));
    await served();
    await converged();
    expect(gateway.status().revision).toBeLessThan(before);

    await raceWrites(cluster, 100).done;
    await converged();
    await served();
  });

  test('etcd is wiped and written anew', async () => {
    const { gateway, converged } = await openClusterGateway(cluster);
    await raceWrites(cluster, 100).done;
    await converged();

    await cluster.replace();
    await raceWrites(cluster, WRITES).done;

    await converged();
    // What is not in etcd any more is gone, the route of these tests included.
    expect(gateway.documents.get('stream_routes', 'echo')).toBeUndefined();
  });

  test('its password is changed while it runs, and changed back', async () => {
    const token = await guard(cluster);
    const { gateway, converged, served, disorder } = await openClusterGateway(cluster, {
      user: 'gateway',
      password: 'secret',
      token,
    });
    const leader = await cluster.leader();
    const writes = raceWrites(cluster, WRITES, token);
    await writes.reached(WRITES / 4);

    await leader.request('auth/user/changepw', { name: 'gateway', password: 'other' }, token);
    for (const { gate } of cluster.members) gate.cut();
    await expect
      .poll(() => gateway.status().store)
      .toMatchObject({ state: 'away', error: { code: 'STORE_DENIED' } });
    await served();
    await leader.request('auth/user/changepw', { name: 'gateway', password: 'secret' }, token);
    await writes.done;

    await converged();
    await served();
    expect(disorder).toEqual([]);
  });
});

async function clusterForTest(): Promise<EtcdCluster> {
  const own = await startEtcdCluster({ network: 'proxies' });
  onTestFinished(() => own.close());
  return own;
}

function firstOf({ members: [first] }: EtcdCluster): EtcdMember {
  if (first === undefined) throw new TypeError('a cluster has members');
  return first;
}

async function compact(own: EtcdCluster): Promise<void> {
  const leader = await own.leader();
  // etcd's own shape of the answer.
  const { header } = (await leader.request('kv/range', { key: 'AA==' })) as {
    readonly header: { readonly revision: string };
  };
  await leader.request('kv/compaction', { revision: header.revision });
}

/** Users `root` and `gateway`, both with the password `secret`. @returns a token of root. */
async function guard(own: EtcdCluster): Promise<string> {
  const leader = await own.leader();
  for (const name of ['root', 'gateway']) {
    await leader.request('auth/user/add', { name, password: 'secret' });
    await leader.request('auth/user/grant', { user: name, role: 'root' });
  }
  await leader.request('auth/enable', {});
  // etcd's own shape of the answer.
  const { token } = (await leader.request('auth/authenticate', { name: 'root', password: 'secret' })) as {
    readonly token: string;
  };
  return token;
}
