import { freePort } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { readRecord } from '../run-record.ts';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed, openListener } from '../testing/listener.ts';

const bad = 'apisix: { proxy_mode: both }\n';

describe('reload', () => {
  test('opens and closes ports in the same process, and has done so when it returns', async () => {
    const [former, kept, added] = await Promise.all([freePort(), freePort(), freePort()]);
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [former, kept] }));
    await apisix(['start', '-p', home]);
    const gateway = await pid();
    await write('conf/config.yaml', streamConfig({ tcp: [kept, added] }));

    const { status } = await apisix(['reload', '-p', home]);

    expect(status).toBe(0);
    expect(await Promise.all([former, kept, added].map(isServed))).toEqual([false, true, true]);
    expect(await pid()).toBe(gateway);
  });

  test('refuses a bad file before the gateway hears of it', async () => {
    const port = await freePort();
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    await write('conf/config.yaml', bad);

    const { status, stderr } = await apisix(['reload', '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining('conf/config.yaml:1:')]);
    expect(readRecord(home, await pid())).toMatchObject({ reloads: 0 });
    expect(await isServed(port)).toBe(true);
  });

  test('names settings that wait for a restart', async () => {
    const port = await freePort();
    const { home, write } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const more = 'deployment: { embedded: { path: data/other.db } }\n';
    await write(
      'conf/config.yaml',
      streamConfig({ tcp: [port] }).replace(/^deployment:[^]*?(?=^nginx)/m, more),
    );

    const { status, stdout } = await apisix(['reload', '-p', home]);

    expect(status).toBe(0);
    expect(stdout).toContain('these settings changed and wait for a restart: deployment.embedded');
  });

  test('fails with the reason when the gateway cannot take over the file', async () => {
    const [port, taken] = await Promise.all([freePort(), openListener()]);
    const { home, write } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    await write('conf/config.yaml', streamConfig({ tcp: [port], admin: taken }));

    const { status, stderr } = await apisix(['reload', '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain('the gateway did not take over the new configuration');
    expect(stderr).toContain(String(taken));
    expect(await isServed(port)).toBe(true);
  });
});

describe('restart', () => {
  test('gives a new process with the new file', async () => {
    const [former, next] = await Promise.all([freePort(), freePort()]);
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [former] }));
    await apisix(['start', '-p', home]);
    const first = await pid();
    await write('conf/config.yaml', streamConfig({ tcp: [next] }));

    const { status, stdout } = await apisix(['restart', '-p', home]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('configuration test is successful')]);
    expect(await Promise.all([former, next].map(isServed))).toEqual([false, true]);
    expect(await pid()).not.toBe(first);
  });

  test('leaves the gateway alone when the file is bad, and stop works afterwards', async () => {
    const port = await freePort();
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const first = await pid();
    await write('conf/config.yaml', bad);

    const { status, stderr } = await apisix(['restart', '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining('configuration test failed')]);
    expect([await pid(), await isServed(port)]).toEqual([first, true]);
    expect(await apisix(['stop', '-p', home])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('starts a gateway when none runs', async () => {
    const port = await freePort();
    const { home } = await createInstallation(streamConfig({ tcp: [port] }));

    const { status } = await apisix(['restart', '-p', home]);

    expect([status, await isServed(port)]).toEqual([0, true]);
  });
});
