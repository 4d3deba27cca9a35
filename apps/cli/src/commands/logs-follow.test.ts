import { appendFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { spawnApisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';

test('a log is followed through rotation and truncation, until Ctrl-C', async () => {
  const { home, write } = await createInstallation(streamConfig({ tcp: [1] }));
  const path = join(home, 'logs/error.log');
  await write('logs/error.log', 'first\nsecond\n');
  const child = spawnApisix(['logs', '-f', '-n', '1', '-p', home]);
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null) throw new TypeError('its output is piped');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => (await lines.next()).value;

  expect(await next()).toBe('second');
  await appendFile(path, 'third\n');
  expect(await next()).toBe('third');

  await rename(path, `${path}.1`);
  await appendFile(`${path}.1`, 'still written to the former one\n');
  expect(await next()).toBe('still written to the former one');
  await appendFile(path, 'in the new one\n');
  expect(await next()).toBe('in the new one');

  await truncate(path);
  await appendFile(path, 'anew\n');
  expect(await next()).toBe('anew');

  child.kill('SIGINT');
  const { promise: status, resolve } = Promise.withResolvers<unknown>();
  child.on('exit', resolve);
  expect(await status).toBe(0);
});
