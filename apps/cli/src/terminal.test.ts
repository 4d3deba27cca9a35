import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createInstallation } from './testing/installation.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs the command in a terminal of its own, which `script` of util-linux makes. */
function inTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}): [unknown, string] {
  const line = [process.execPath, '--conditions=@apisix-ts/source', main, ...args].join(' ');
  const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A terminal ends lines in its own way.
  return [status, stdout.replaceAll('\r\n', '\n')];
}

test('what is bad is red in a terminal, unless NO_COLOR is set', async () => {
  const { home } = await createInstallation('# nothing');
  const reason = `: there is no ${home}/logs/nginx.pid\n`;

  expect(inTerminal(['status', '-p', home])).toEqual([
    3,
    `\u001B[31mAPISIX is not running\u001B[0m${reason}`,
  ]);
  expect(inTerminal(['status', '-p', home], { NO_COLOR: '1' })).toEqual([
    3,
    `APISIX is not running${reason}`,
  ]);
});
