import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '@apisix-ts/config';
import type { Clock } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import type { CommandContext } from './command.ts';
import { launchDaemon } from './launch.ts';
import { processSignals } from './signals.ts';
import { createInstallation } from './testing/installation.ts';
import type { Installation } from './testing/installation.ts';
import { testContext } from './testing/test-context.ts';
import { waitFor } from './waiting.ts';

// What only a defective gateway does is shown here with programs that do it; `start.test.ts` has the real one.
describe('a gateway that does not get to serve', () => {
  test('that ends without a word is shown with the end of its log, without what was there before', async () => {
    const installation = await install(`
      console.error('half the story');
      console.error('the other half');
      process.exit(7);`);
    await installation.write('logs/error.log', 'an older start\n');

    const failure = await launch(installation).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'GATEWAY_START_FAILED' });
    expect(String(failure)).toContain('the gateway ended with status 7 before it served');
    expect(String(failure)).toContain('error.log:\nhalf the story\nthe other half\n');
    expect(String(failure)).not.toContain('an older start');
  });

  test('that is killed is told by the signal', async () => {
    const installation = await install(`process.kill(process.pid, 'SIGKILL');`);

    await expect(launch(installation)).rejects.toThrow(
      /was ended by SIGKILL before it served; .*error\.log tells nothing/,
    );
  });

  test('that says why is quoted, with its code', async () => {
    const installation = await install(`
      process.send({ type: 'failed', code: 'STORE_UNREACHABLE', message: 'etcd is away' });
      process.disconnect();
      process.exitCode = 1;`);

    await expect(launch(installation)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: 'etcd is away',
    });
  });

  test('that says nothing for 60 s is ended', async () => {
    const installation = await install(stubborn('SIGUSR2'));
    const clock = manualClock();

    const failing = launch(installation, { clock }).catch((error: unknown) => error);
    const pid = await startedPid(installation);
    clock.passed(60_000);

    expect(await failing).toMatchObject({ code: 'GATEWAY_UNRESPONSIVE' });
    expect(processSignals.send(pid, 0)).toBe('gone');
  });

  test('that will not be ended is killed after 5 s', async () => {
    const installation = await install(stubborn('SIGTERM'));
    const clock = manualClock();

    const failing = launch(installation, { clock }).catch((error: unknown) => error);
    const pid = await startedPid(installation);
    clock.passed(60_000);
    await clock.asked(5_000);
    expect(processSignals.send(pid, 0)).toBe('sent');
    clock.passed(5_000);

    expect(await failing).toMatchObject({ code: 'GATEWAY_UNRESPONSIVE' });
    expect(processSignals.send(pid, 0)).toBe('gone');
  });

  test('is ended when the start is interrupted', async () => {
    const installation = await install(stubborn('SIGUSR2'));
    const keyboard = new EventEmitter();
    const signals: CommandContext['signals'] = {
      send: (pid, signal) => processSignals.send(pid, signal),
      onInterrupt(listener) {
        keyboard.on('interrupt', listener);
        return () => void keyboard.off('interrupt', listener);
      },
    };

    const failing = launch(installation, { signals }).catch((error: unknown) => error);
    const pid = await startedPid(installation);
    keyboard.emit('interrupt');

    expect(String(await failing)).toContain('the start was interrupted, and the gateway ended');
    expect(processSignals.send(pid, 0)).toBe('gone');
    expect(keyboard.listenerCount('interrupt')).toBe(0);
  });
});

test('a start that takes more than a second says what it waits for', async () => {
  const installation = await install(stubborn('SIGUSR2'));
  const clock = manualClock();
  const context = contextOf(installation, { clock });

  const failing = launchDaemon(context, { home: installation.home, config: undefined }).catch(
    () => undefined,
  );
  await startedPid(installation);
  expect(context.printed.stderr).toBe('');
  clock.passed(1_000);

  expect(context.printed.stderr).toBe(
    `waiting for the gateway, which logs to ${join(installation.home, 'logs/error.log')}\n`,
  );
  clock.passed(60_000);
  await failing;
});

test('the gateway is started with HOME and the file, in the working directory, and outlives the command', async () => {
  const installation = await install(`
    console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));
    process.send({ type: 'ready' }, () => process.exit(0));`);

  await launchDaemon(contextOf(installation), { home: installation.home, config: '/etc/apisix.yaml' });

  expect(JSON.parse(await installation.read('logs/error.log'))).toEqual({
    args: ['--home', installation.home, '--config', '/etc/apisix.yaml'],
    cwd: installation.home,
  });
});

/** Runs until a signal that it does not ignore. */
function stubborn(ignored: string): string {
  return `process.on('${ignored}', () => undefined); console.log(process.pid); setInterval(() => undefined, 60_000);`;
}

async function install(program: string): Promise<Installation> {
  const installation = await createInstallation();
  await installation.write('logs/error.log', '');
  await installation.write('gateway.mjs', program);
  return installation;
}

function contextOf(
  { home }: Installation,
  parts: Partial<CommandContext> = {},
): ReturnType<typeof testContext> {
  const gateway = { executable: process.execPath, args: [join(home, 'gateway.mjs')] };
  return testContext({ gateway, cwd: home, clock: systemClock, ...parts });
}

function launch(installation: Installation, parts: Partial<CommandContext> = {}): Promise<void> {
  return launchDaemon(contextOf(installation, parts), { home: installation.home, config: undefined });
}

/** The process id that the program printed once it was up. */
async function startedPid({ read }: Installation): Promise<number> {
  const look = async (): Promise<number | undefined> =>
    Number.parseInt(await read('logs/error.log'), 10) || undefined;
  return (await waitFor(look, { clock: systemClock, timeoutMs: 60_000 })) ?? 0;
}

interface ManualClock extends Clock {
  /** Lets every timer of this delay fire. Milliseconds. */
  passed(delayMs: number): void;
  /** Waits until there is one. */
  asked(delayMs: number): Promise<void>;
}

function manualClock(): ManualClock {
  const timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  const added = new EventEmitter();
  return {
    now: () => 0,
    after(delayMs, callback) {
      const timer = { delayMs, callback };
      timers.add(timer);
      added.emit(String(delayMs));
      return () => void timers.delete(timer);
    },
    passed(delayMs) {
      for (const timer of timers) if (timer.delayMs === delayMs && timers.delete(timer)) timer.callback();
    },
    async asked(delayMs) {
      if ([...timers].some((timer) => timer.delayMs === delayMs)) return;
      await once(added, String(delayMs));
    },
  };
}
