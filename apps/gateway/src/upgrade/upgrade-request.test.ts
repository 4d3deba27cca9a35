import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeUpgradeRequest, writeUpgradeRequest } from './upgrade-request.ts';

const program = { executable: '/opt/node', args: ['/opt/gateway/main.js'] };

async function createHome(): Promise<{ home: string; request: string }> {
  const home = await mkdtemp(join(tmpdir(), 'upgrade-'));
  onTestFinished(() => rm(home, { recursive: true }));
  await mkdir(join(home, 'logs'));
  return { home, request: join(home, 'logs', 'apisix-upgrade.json') };
}

test('names the program to start, once; then it is the one that runs', async () => {
  const { home } = await createHome();
  writeUpgradeRequest(home, program);

  expect(takeUpgradeRequest(home)).toEqual(program);
  expect(takeUpgradeRequest(home)).toMatchObject({ executable: process.execPath });
});

test('is not believed where others could have written it', async () => {
  const { home, request } = await createHome();
  writeUpgradeRequest(home, program);
  await chmod(request, 0o666);

  expect(() => takeUpgradeRequest(home)).toThrow('that only this user or root can write');
  expect(takeUpgradeRequest(home)).toMatchObject({ executable: process.execPath });
});

test('is not followed to another file', async () => {
  const { home, request } = await createHome();
  const other = await createHome();
  writeUpgradeRequest(other.home, program);
  await symlink(other.request, request);

  expect(() => takeUpgradeRequest(home)).toThrow('that only this user or root can write');
});
