import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';

const good = streamConfig({ tcp: [9100] }).replace('admin_key_required: false', '');
/** Wrong in two places. */
const bad = 'apisix:\n  proxy_mode: both\n  stream_proxy: { tcp: 9100 }\n';

describe('init', () => {
  test('makes the folders for data and logs and says nothing', async () => {
    const { home } = await createInstallation(good);

    const outcome = await apisix(['init', '--home', home]);

    expect(outcome).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await readdir(home)).sort()).toEqual(['conf', 'data', 'logs']);
  });

  test('may be repeated, and leaves what is there alone', async () => {
    const { home, write, read } = await createInstallation(good);
    await write('data/apisix.db', 'kept');

    const outcome = await apisix(['init'], { cwd: home });

    expect([outcome.status, await read('data/apisix.db')]).toEqual([0, 'kept']);
  });

  test('tells every problem with its line, and makes nothing', async () => {
    const { home } = await createInstallation(bad);

    const { status, stderr } = await apisix(['init'], { env: { APISIX_PREFIX: home } });

    expect(status).toBe(1);
    expect(stderr).toContain(`failed to read local yaml config of apisix: ${home}/conf/config.yaml:2:`);
    expect(stderr).toContain(`${home}/conf/config.yaml:3:`);
    expect(existsSync(join(home, 'logs'))).toBe(false);
  });

  test('names the file it missed, and why it looked there', async () => {
    const { home } = await createInstallation();

    const { status, stderr } = await apisix(['init'], { cwd: home });

    expect(status).toBe(1);
    expect(stderr).toContain('failed to open file: /usr/local/apisix/conf/config.yaml, error info:');
    expect(stderr).toContain(`because ${home} has no conf/config.yaml; --home DIR names another`);
  });

  test('takes conf/config-<profile>.yaml with APISIX_PROFILE', async () => {
    const { home, write } = await createInstallation(bad);
    await write('conf/config-dev.yaml', good);

    const { status } = await apisix(['init', '-p', home], { env: { APISIX_PROFILE: 'dev' } });

    expect(status).toBe(0);
  });

  test('names a variable that is not set', async () => {
    const { home } = await createInstallation('apisix:\n  proxy_mode: ${{APISIX_TEST_MODE}}\n');

    const { status, stderr } = await apisix(['init', '-p', home]);

    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("can't find environment variable APISIX_TEST_MODE"),
    ]);
  });

  test('refuses a file where a folder belongs', async () => {
    const { home, write } = await createInstallation(good);
    await write('logs', 'a file');

    const { status, stderr } = await apisix(['init', '-p', home]);

    expect([status, stderr]).toEqual([1, `${home}/logs is not directory nor symbol link (HOME_UNUSABLE)\n`]);
  });

  test('warns of a low limit on open files, as it will be for the gateway', async () => {
    const { home } = await createInstallation(good);

    const { status, stdout } = await apisix(['init', '-p', home], { before: 'ulimit -n 600' });

    expect(status).toBe(0);
    expect(stdout).toContain('Warning! Current maximum number of open file descriptors [600] is not greater');
  });

  test('warns of an Admin API without a key', async () => {
    const { home } = await createInstallation(streamConfig({ tcp: [9100] }));

    const { status, stdout } = await apisix(['init', '-p', home]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('Warning! Admin key is bypassed!')]);
  });
});

describe('test', () => {
  test('says that the configuration is good', async () => {
    const { home } = await createInstallation(good);

    const outcome = await apisix(['test', '-p', home]);

    expect(outcome).toEqual({ status: 0, stdout: 'configuration test is successful\n', stderr: '' });
  });

  test('says that it is not, and why', async () => {
    const { home } = await createInstallation(bad);

    const { status, stdout, stderr } = await apisix(['test', '-p', home]);

    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('configuration test failed\n');
    expect(stderr).toContain(`${home}/conf/config.yaml:3:`);
  });
});
