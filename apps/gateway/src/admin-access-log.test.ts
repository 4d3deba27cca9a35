import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRunRecord } from './run-record.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation } from './testing/installation.ts';

const keys = 'admin:\n    admin_key: [{ name: ops, key: the-secret, role: admin }]';
const line = (request: string, user: string, status: number): RegExp =>
  new RegExp(
    `^127\\.0\\.0\\.1 - ${user} \\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:[\\d:]{8} [+-]\\d{4}] "${request}" ${status} \\d+ \\d+\\.\\d{3}\n$`,
  );

function yaml({ ports }: Installation, more = ''): string {
  return configYaml(ports)
    .replace('admin:', `${keys}\n${more}`)
    .replace('admin_key_required: false', 'admin_key_required: true');
}

async function ask(
  { ports }: Installation,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${ports.admin}/apisix/admin${target}`, {
    headers: { ...headers, connection: 'close' },
  });
  return status;
}

test('has a line for a request: who, when, what, status, bytes, seconds, and never the key', async () => {
  const installation = await createInstallation();
  await installation.configure(yaml(installation));
  const gateway = await installation.start();

  await ask(installation, '/upstreams?api_key=the-secret&name=a');
  await ask(installation, '/upstreams', { 'x-api-key': 'the-secret' });
  await ask(installation, '/up"streams', { 'x-api-key': 'wrong' });
  await gateway.stop();

  const lines = (await installation.read('logs/admin_access.log')).split(/(?<=\n)/);
  expect(lines).toEqual([
    expect.stringMatching(line('GET /apisix/admin/upstreams\\?api_key=\\*\\*\\*&name=a', 'ops', 200)),
    expect.stringMatching(line('GET /apisix/admin/upstreams', 'ops', 200)),
    expect.stringMatching(line('GET /apisix/admin/up%22streams', '-', 401)),
  ]);
});

test('goes on in a new file when the former one was moved away', async () => {
  const installation = await createInstallation();
  await installation.configure(yaml(installation));
  const gateway = await installation.start();
  const file = join(installation.home, 'logs/admin_access.log');
  await ask(installation, '/upstreams');
  await expect.poll(() => installation.read('logs/admin_access.log')).toMatch(/ 401 /);

  await rename(file, `${file}.1`);
  gateway.reopenLogs();
  await ask(installation, '/services');
  await gateway.stop();

  expect(await installation.read('logs/admin_access.log')).toMatch(/^[^\n]*\/services[^\n]*\n$/);
  expect(await installation.read('logs/admin_access.log.1')).toMatch(/^[^\n]*\/upstreams[^\n]*\n$/);
});

test('can be moved and switched off with a reload', async () => {
  const installation = await createInstallation();
  await installation.configure(yaml(installation));
  const gateway = await installation.start();

  await installation.configure(yaml(installation, '    access_log: logs/moved.log'));
  await gateway.reload();
  await ask(installation, '/services');
  await installation.configure(yaml(installation, '    enable_access_log: false'));
  await gateway.reload();
  await ask(installation, '/protos');
  await gateway.stop();

  expect(readRunRecord(installation.home)).toBeUndefined();
  expect(await installation.read('logs/moved.log')).toMatch(/^[^\n]*\/services[^\n]*\n$/);
  expect(await installation.read('logs/admin_access.log')).toBe('');
});

test('that cannot be written keeps the gateway from starting, and says why', async () => {
  const installation = await createInstallation();
  await installation.configure(yaml(installation, '    access_log: conf'));

  await expect(installation.start()).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringContaining('deployment.admin.access_log: expected a file that can be written'),
  });
});
