// `npm start`: brings what the gateway needs, then runs it in the foreground. Plain JavaScript without dependencies,
// because it runs on whatever Node the machine has.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { bin, root } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';
import { runMain } from './setup/problem.mjs';
import { endGroupsOnSignals } from './setup/run.mjs';

await runMain(async () => {
  const release = endGroupsOnSignals();
  await prepare({ withBuild: true });
  release();

  const main = join(root, 'apps', 'gateway', 'dist', 'main.js');
  const args = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
  const gateway = spawn(bin('node'), [main, '--home', root, ...args], { cwd: root, stdio: 'inherit' });
  // It shares the terminal's process group: a Ctrl-C reaches it without this process. A second one would meet it on its way
  // out, when nobody there handles signals any more.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    const isFromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => isFromTerminal || gateway.kill(signal));
  }
  process.exitCode = await new Promise((resolve, reject) => {
    gateway.on('error', reject);
    gateway.on('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
  });
});
