import { copyFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBinary } from '../../testbed/binary.ts';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import { root } from '../../testbed/published.ts';
import { openSystemdMachine } from '../../testbed/systemd-machine.ts';
import type { SystemdMachine } from '../../testbed/systemd-machine.ts';

const leaks = openLeakCheck();
const folder = await mkdtemp(join(tmpdir(), 'srv-'));
const opened = await openSystemdMachine(folder);
const missing = 'missing' in opened ? opened.missing : undefined;
if (missing !== undefined) {
  console.log(`No systemd: ${missing}`);
  await rm(folder, { recursive: true });
}

// Without root, or where namespaces or cgroups are forbidden, there is no systemd of our own.
describe.skipIf(missing !== undefined)('as a service of systemd', () => {
  let machine: SystemdMachine;

  beforeAll(async () => {
    if ('missing' in opened) throw new Error(opened.missing);
    machine = opened;
    await cp(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true });
    await copyFile(join(root, 'conf', 'config.yaml'), join(folder, 'config.yaml'));
    await mkdir(join(folder, 'dist'));
    await copyFile(await buildBinary(), join(folder, 'dist', 'apisix-gateway'));
    await ok('install -m 755 dist/apisix-gateway /usr/local/bin/apisix');
  });

  afterAll(async () => {
    await machine.close();
    await rm(folder, { recursive: true });
    expect(await leaks.leftovers()).toEqual([]);
  });

  async function ok(commands: string): Promise<string> {
    const { status, stdout, stderr } = await machine.run(commands);
    expect(status, `${commands}\n${stdout}${stderr}`).toBe(0);
    return stdout.trim();
  }

  const mainPid = (): Promise<string> => ok('systemctl show --property=MainPID --value apisix');

  test('the gateway is installed, reloaded, upgraded, started again after a crash, and stopped', async () => {
    await runHandedOver(import.meta.filename, 'docs/install.md', async (next) => void (await ok(next())));
    const first = await mainPid();
    expect(await ok('systemctl is-active apisix')).toBe('active');
    expect(await ok(`ps -o user= -p ${first}`)).toBe('apisix');

    await ok('systemctl reload apisix');
    await ok('echo "apisix: {" >> /usr/local/apisix/conf/config.yaml');
    expect(await machine.run('systemctl reload apisix')).toMatchObject({ status: 1 });
    await ok('sed -i "$ d" /usr/local/apisix/conf/config.yaml');
    expect(await mainPid()).toBe(first);

    await runHandedOver(
      import.meta.filename,
      'docs/operations/upgrading.md',
      async (next) => void (await ok(next())),
    );
    await until(async () => (await mainPid()) !== first);
    const second = await mainPid();
    expect(await ok('systemctl is-active apisix')).toBe('active');

    await ok(`kill -KILL ${second}`);
    await until(async () => !['0', second].includes(await mainPid()));
    expect(await ok('systemctl is-active apisix')).toBe('active');

    await ok('systemctl stop apisix');
    expect((await machine.run('systemctl is-active apisix')).stdout).toBe('inactive\n');
    expect(await ok('systemctl show --property=Result --value apisix')).toBe('success');
    expect(await ok('journalctl --no-pager --unit=apisix')).toContain('config.yaml:33:1: YAML syntax error');
  });
});

/** Looks again and again; the test's own limit ends it. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(20);
}
