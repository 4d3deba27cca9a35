import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRecord } from '../run-record.ts';
import { processSignals } from '../signals.ts';
import { apisix, spawnApisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed, openListener } from '../testing/listener.ts';

describe('start and stop', () => {
  test('the gateway serves when start returns, and is gone when stop returns', async () => {
    const port = await freePort();
    const { home, pid, read } = await createInstallation(streamConfig({ tcp: [port] }));

    const started = await apisix(['start', '-p', home]);
    expect(started.status).toBe(0);
    expect(await isServed(port)).toBe(true);
    const gateway = await pid();
    expect(readRecord(home, gateway)).toMatchObject({ config: join(home, 'conf/config.yaml') });

    const stopped = await apisix(['stop', '-p', home]);
    expect(stopped).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(processSignals.send(gateway, 0)).toBe('gone');
    expect(await isServed(port)).toBe(false);
    expect(await readdir(join(home, 'logs'))).not.toContain('nginx.pid');
    expect(await read('logs/error.log')).not.toContain('[error]');
  });

  test('a second start fails and leaves the first gateway alone', async () => {
    const port = await freePort();
    const { home, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const first = await pid();

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain('the old APISIX is still running, the new one will not start');
    expect([await pid(), await isServed(port)]).toEqual([first, true]);
  });

  test('a killed gateway leaves a pid file that start tells of and overwrites', async () => {
    const port = await freePort();
    const { home, pid } = await createInstallation(streamConfig({ tcp: [port] }));
    await apisix(['start', '-p', home]);
    const killed = await pid();
    while (processSignals.send(killed, 'SIGKILL') !== 'gone') await new Promise(setImmediate);

    const { status, stdout } = await apisix(['start', '-p', home]);

    expect(status).toBe(0);
    expect(stdout).toContain(
      `nginx.pid exists but there's no corresponding process with pid ${killed}, the file will be overwritten`,
    );
    expect(await pid()).not.toBe(killed);
    expect(await isServed(port)).toBe(true);
  });

  test('a pid file without a number is overwritten', async () => {
    const { home, write, pid } = await createInstallation(streamConfig({ tcp: [await freePort()] }));
    await write('logs/nginx.pid', 'nginx\n');

    const { status } = await apisix(['start', '-p', home]);

    expect(status).toBe(0);
    expect(processSignals.send(await pid(), 0)).toBe('sent');
  });

  test('start fails with the reason when its port is taken', async () => {
    const port = await openListener();
    const { home } = await createInstallation(streamConfig({ tcp: [port] }));

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain('LISTENER_PORT_IN_USE');
    expect(stderr).toContain(String(port));
    expect(await readdir(join(home, 'logs'))).not.toContain('nginx.pid');
  });

  test('start fails with every problem of config.yaml', async () => {
    const { home } = await createInstallation('apisix:\n  proxy_mode: both\n  stream_proxy: { tcp: 9100 }\n');

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain('config.yaml:2:');
    expect(stderr).toContain('config.yaml:3:');
  });

  test('start fails in a sentence when its log cannot be written', async () => {
    const { home, write } = await createInstallation(streamConfig({ tcp: [await freePort()] }));
    await write('logs/error.log/occupied', '');

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toContain(`${home}/logs/error.log`);
  });

  test('start -c fails when there is no such file', async () => {
    const { home } = await createInstallation(streamConfig({ tcp: [await freePort()] }));

    const { status, stderr } = await apisix(['start', '-c', 'conf/other.yaml'], { cwd: home });

    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`customized config file not exists, path: ${home}/conf/other.yaml`),
    ]);
  });

  test('a failed start -c does not change what a later start reads', async () => {
    const port = await freePort();
    const { home, write } = await createInstallation(streamConfig({ tcp: [port] }));
    await write('conf/bad.yaml', 'apisix: { proxy_mode: both }\n');
    const failed = await apisix(['start', '-c', 'conf/bad.yaml'], { cwd: home });

    const { status } = await apisix(['start'], { cwd: home });

    expect([failed.status, status, await isServed(port)]).toEqual([1, 0, true]);
  });

  test('start -c uses that file, and reload and restart keep to it', async () => {
    const [main, first, second, third] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const { home, write } = await createInstallation(streamConfig({ tcp: [main] }));
    const other = (port: number): Promise<void> => write('other.yaml', streamConfig({ tcp: [port] }));

    await other(first);
    const started = await apisix(['start', '--config', 'other.yaml'], { cwd: home });
    expect(started.stdout).toContain('Use customized yaml: other.yaml');
    expect(await isServed(first)).toBe(true);

    await other(second);
    expect(await apisix(['reload'], { cwd: home })).toMatchObject({ status: 0 });
    expect(await isServed(second)).toBe(true);

    await other(third);
    expect(await apisix(['restart'], { cwd: home })).toMatchObject({ status: 0 });
    expect(await isServed(third)).toBe(true);
    expect(await isServed(main)).toBe(false);

    await apisix(['stop'], { cwd: home });
    expect(await apisix(['start'], { cwd: home })).toMatchObject({ status: 0 });
    expect(await isServed(main)).toBe(true);
  });

  test('start --foreground becomes the gateway: its process, its output, its exit status', async () => {
    const port = await freePort();
    const { home, pid } = await createInstallation(streamConfig({ tcp: [port] }));

    const gateway = spawnApisix(['start', '-f', '-p', home]);
    onTestFinished(() => void gateway.kill('SIGKILL'));
    const exited = once(gateway, 'exit');
    const output = await firstOutput(gateway.stdout, `:${port}`);

    expect(output).toContain(home);
    expect(await pid()).toBe(gateway.pid);
    expect(await isServed(port)).toBe(true);
    gateway.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await isServed(port)).toBe(false);
  });
});

/** Output up to the piece with `text`. */
async function firstOutput(stream: AsyncIterable<unknown> | null, text: string): Promise<string> {
  let output = '';
  for await (const chunk of stream ?? []) {
    output += String(chunk);
    if (output.includes(text)) break;
  }
  return output;
}
