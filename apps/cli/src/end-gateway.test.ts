import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '@apisix-ts/config';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from './command-line.ts';
import { endGateway } from './end-gateway.ts';
import { createInstallation } from './testing/installation.ts';
import type { Installation } from './testing/installation.ts';
import { fastClock, testContext } from './testing/test-context.ts';
import type { Delivery, Signals } from './signals.ts';

test('a process that does not end within the time is told of', async () => {
  const { home } = await installationWith('sleep', '60');
  const context = testContext({ clock: fastClock(), signals: deaf });

  const ending = endGateway(context, { home, signal: 'SIGTERM', timeoutMs: 30_000, waitingText: 'waiting' });

  await expect(ending).rejects.toMatchObject({
    code: 'GATEWAY_UNRESPONSIVE',
    message: expect.stringMatching(/process \d+ was told to end \(SIGTERM\) and still runs after 30 s/),
  });
});

test('a terminal counts the seconds on one line, and the line is gone at the end', async () => {
  const { home } = await installationWith('sleep', '60');
  let shown = '';
  const stderr = { write: (text: string) => (shown += text), isTTY: true };
  const context = testContext({ clock: fastClock(), signals: deaf, stderr });

  await endGateway(context, { home, signal: 'SIGQUIT', timeoutMs: 3_000, waitingText: 'waiting' }).catch(
    () => undefined,
  );

  expect(shown).toBe('\rwaiting: 1 s\rwaiting: 2 s\r\u001B[K');
});

test('a process that ends in time is no failure', async () => {
  const { home } = await installationWith('sleep', '60');

  const context = testContext({ clock: systemClock });
  await endGateway(context, { home, signal: 'SIGTERM', timeoutMs: 30_000, waitingText: 'waiting' });

  expect(context.printed).toEqual({ stdout: '', stderr: '' });
});

test.for(['start', 'stop', 'quit', 'reload', 'restart'])(
  '%s tells in a sentence that the gateway belongs to another user',
  async (action) => {
    const { home, write } = await createInstallation('');
    await write('logs/nginx.pid', '1\n');
    // Tests that run as root may signal everyone, so the system's refusal is stated here.
    const context = testContext({ signals: { ...deaf, send: (): Delivery => 'denied' } });

    const status = await runCommandLine([action, '--home', home], context);

    expect([status, context.printed]).toEqual([
      1,
      {
        stdout: '',
        stderr:
          `process 1, named by ${home}/logs/nginx.pid, belongs to another user: run the command as that user or ` +
          'as root (GATEWAY_SIGNAL_DENIED)\n',
      },
    ]);
  },
);

/** Everything arrives, nothing has an effect. */
const deaf: Signals = { send: () => 'sent', onInterrupt: () => () => undefined };

async function installationWith(program: string, ...args: readonly string[]): Promise<Installation> {
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const installation = await createInstallation();
  await installation.write('logs/nginx.pid', `${child.pid}\n`);
  return installation;
}
