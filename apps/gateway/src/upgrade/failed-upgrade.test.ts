import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { expect, test } from 'vitest';
import { readRunRecord } from '../run-record.ts';
import { configYaml, createInstallation } from '../testing/installation.ts';
import { StoreLease } from './store-lease.ts';
import { writeUpgradeRequest } from './upgrade-request.ts';

/** A gateway whose store cannot be closed so many times, and a program that is to take its place. */
async function openUpgradable(program: string, failures: number) {
  const { home, ports, configure, start } = await createInstallation();
  await configure(configYaml(ports));
  const gateway = await start({
    openStore: async () => {
      const store = await openEmbeddedStore({ path: join(home, 'apisix.db') });
      let left = failures;
      const lease = new StoreLease('embedded', async () => ({
        ...store,
        close: async () => {
          left -= 1;
          if (left < 0) return store.close();
          throw new Error('it is busy');
        },
      }));
      await lease.take();
      return lease;
    },
  });
  const file = join(home, 'successor.mjs');
  await writeFile(file, program);
  writeUpgradeRequest(home, { executable: process.execPath, args: [file] });
  return { home, ports, gateway };
}

test.for([
  [
    'asks for a store that cannot be closed',
    `process.send({ type: 'wants-store' }); process.on('message', () => {});`,
    1,
    'what the new gateway asked for could not be done: the store could not be closed (it is busy)',
  ],
  [
    'says something that is no message',
    `process.send(null); process.on('message', () => {});`,
    0,
    'what the new gateway asked for could not be done: Cannot read properties of null',
  ],
] as const)('a new gateway that %s is ended, and this one goes on', async ([, program, failures, reason]) => {
  const { home, ports, gateway } = await openUpgradable(program, failures);
  const upstream = `http://127.0.0.1:${ports.admin}/apisix/admin/upstreams/u`;
  const put = async (): Promise<number> => {
    const body = JSON.stringify({ nodes: { '127.0.0.1:9': 1 } });
    return (await fetch(upstream, { method: 'PUT', body })).status;
  };
  expect(await put()).toBe(201);

  const isOver = await gateway.upgrade();

  expect(isOver).toBe(false);
  expect(readRunRecord(home)).toMatchObject({
    pid: process.pid,
    failed_upgrades: 1,
    last_upgrade_error: expect.stringContaining(reason),
  });
  expect(await put()).toBe(200);
  expect((await fetch(upstream)).status).toBe(200);
});
