import { testStore } from '@apisix-ts/config/contract';
import type { OpenedStore } from '@apisix-ts/config/contract';
import { openTcpGate, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll } from 'vitest';
import { etcdOptions } from './etcd-options.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { openEtcdStore } from './etcd-store.ts';

let etcd: EtcdServer;
let cases = 0;

beforeAll(async () => {
  etcd = await startEtcd();
});

afterAll(() => etcd.close());

testStore('etcd', async (): Promise<OpenedStore> => {
  cases += 1;
  const prefix = `/case-${cases}`;
  const gate = await openTcpGate(Number(new URL(etcd.endpoint).port));
  const options: EtcdOptions = {
    ...etcdOptions({ host: [`http://127.0.0.1:${gate.port}`], prefix }),
    timeoutMs: 5_000,
    watchTimeoutMs: 600,
  };
  const store = openEtcdStore(options);
  return {
    store,
    dispose: () => gate.close(),
    disturb: {
      async writeFromElsewhere(key, value) {
        if (value === undefined) await etcd.request('kv/deleterange', { key: base64(`${prefix}/${key}`) });
        else await etcd.request('kv/put', { key: base64(`${prefix}/${key}`), value: base64(value) });
      },
      async writeOutsidePrefix() {
        // Not below the prefix, though the text begins with it.
        await etcd.request('kv/put', { key: base64(`${prefix}-other/key`), value: base64('{}') });
      },
      reopen: () => Promise.resolve(openEtcdStore(options)),
      async compact() {
        const { revision } = await store.load(new AbortController().signal);
        await etcd.request('kv/compaction', { revision });
      },
      wipe: () => etcd.wipe(),
      cutConnections: async () => gate.cut(),
      silenceConnections: async () => gate.silence(),
      async goAway() {
        await etcd.stop();
        return () => etcd.restart();
      },
    },
  };
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
