import { freePort } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { readRecord } from '../run-record.ts';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed } from '../testing/listener.ts';

describe('upgrade', () => {
  test('gives a new process, which has the ports, when it returns; stop ends it', async () => {
    const port = await freePort();
    const { home, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const former = await pid();

    const { status, stdout, stderr } = await apisix(['upgrade', '-p', home]);

    const next = await pid();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`process ${next} serves; process ${former} ends when`);
    expect([next === former, await isServed(port)]).toEqual([false, true]);
    expect(readRecord(home, next)).toMatchObject({ listeners: [`0.0.0.0:${port}`] });
    expect(await apisix(['stop', '-p', home])).toEqual({ status: 0, stdout: '', stderr: '' });
    // The former may still have it for a moment.
    await expect.poll(() => isServed(port)).toBe(false);
  });

  test('refuses a bad file before the gateway hears of it', async () => {
    const port = await freePort();
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const former = await pid();
    await write('conf/config.yaml', 'apisix: { proxy_mode: both }\n');

    const { status, stderr } = await apisix(['upgrade', '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining('conf/config.yaml:1:')]);
    expect(readRecord(home, former)).toMatchObject({ failed_upgrades: 0 });
    expect([await pid(), await isServed(port)]).toEqual([former, true]);
  });
});
