import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { apisixCommand, createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { runCommand, runOrFail } from '../../testbed/process.ts';
import { root } from '../../testbed/published.ts';

let gateway: GatewayInstallation;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-'));
  gateway = await createGatewayInstallation();
  await gateway.configure('proxy_mode: stream');
});

afterEach(async () => {
  await gateway.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A file of deploy/, for this installation and this user instead of the standard ones. */
async function deployed(path: string): Promise<string> {
  const user = await runOrFail('id', ['-un']);
  const group = await runOrFail('id', ['-gn']);
  const text = await readFile(join(root, 'deploy', path), 'utf8');
  const adapted = text
    .replaceAll('/usr/local/bin/apisix', apisixCommand)
    .replaceAll('/usr/local/apisix', gateway.home)
    .replace('su apisix apisix', `su ${user.trim()} ${group.trim()}`);
  const copy = join(folder, basename(path));
  await writeFile(copy, adapted, { mode: 0o644 });
  return copy;
}

test('systemd has nothing to say about the unit', async () => {
  const unit = await deployed('systemd/apisix.service');

  expect(await runCommand('systemd-analyze', ['--man=no', 'verify', unit])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('the commands of the unit start, reload and end the gateway as systemd expects it', async () => {
  const unit = await readFile(await deployed('systemd/apisix.service'), 'utf8');
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
  const [prefix = '', home = ''] = value('Environment').split('=');
  const run = (key: string): Promise<string> => {
    const [command = '', ...args] = value(key).split(' ');
    return runOrFail(command, args, { cwd: value('WorkingDirectory'), env: { [prefix]: home } });
  };

  await run('ExecStart');
  const pid = Number(await readFile(value('PIDFile'), 'utf8'));
  await run('ExecReload');

  expect(await gateway.control('/config/status')).toMatchObject({ store: { state: 'following' } });
  const signal = value('KillSignal');
  expect(signal).toBe('SIGQUIT');
  process.kill(pid, signal);
  await until(async () => !(await readdir(join(gateway.home, 'logs'))).includes('nginx.pid'));
  // Quitting takes up to worker_shutdown_timeout, whose default is 240 s.
  expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(240);
});

test('logrotate moves the logs away, and the gateway goes on in new ones', async () => {
  const rules = await deployed('logrotate/apisix');
  // At the default level, warn, nothing is written in such a short life.
  await appendFile(join(gateway.home, 'conf', 'config.yaml'), 'nginx_config: { error_log_level: notice }\n');
  await gateway.apisixOk('start');
  const rotate = (): Promise<string> =>
    runOrFail('logrotate', ['--force', '--state', join(folder, 'state'), rules]);
  const logs = join(gateway.home, 'logs');
  const reopened = async (): Promise<boolean> =>
    (await readdir(logs)).includes('error.log') &&
    (await gateway.errorLog()).includes('the log files were opened again');

  await rotate();
  await until(reopened);
  await rotate();
  await until(reopened);

  expect((await readdir(logs)).filter((name) => name.startsWith('error.log'))).toEqual([
    'error.log',
    'error.log.1',
    'error.log.2.gz',
  ]);
  expect(await readFile(join(logs, 'error.log.1'), 'utf8')).toContain('the log files were opened again');
  expect(await runOrFail('zcat', [join(logs, 'error.log.2.gz')])).toContain('the gateway is serving');
});

/** Looks every few milliseconds; the test's own limit ends it. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(5);
}
