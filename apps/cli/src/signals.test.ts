import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { processSignals } from './signals.ts';

test('a process that ended is gone', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');

  expect(processSignals.send(child.pid ?? 0, 0)).toBe('gone');
});

test('a process that runs takes signals', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const exited = once(child, 'exit');

  expect(processSignals.send(child.pid ?? 0, 0)).toBe('sent');
  expect(processSignals.send(child.pid ?? 0, 'SIGTERM')).toBe('sent');
  expect(await exited).toEqual([null, 'SIGTERM']);
});

test.runIf(process.platform === 'linux')('a process that ended unnoticed by its parent is gone', async () => {
  // The shell starts one, then becomes a program that never asks about it.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const pid = Number(String((await once(parent.stdout, 'data'))[0]));
  parent.stdin.write('cat answers this\n');
  await once(parent.stdout, 'data');

  expect(processSignals.send(pid, 'SIGKILL')).toBe('sent');
  while (processSignals.send(pid, 0) !== 'gone') await new Promise(setImmediate);

  expect(process.kill(pid, 0)).toBe(true);
  parent.stdin.end();
  await once(parent, 'exit');
});

test('this very process is not the one a pid file means', () => {
  expect(processSignals.send(process.pid, 'SIGTERM')).toBe('gone');
});

test('a number that is too large for a process is gone', () => {
  expect(processSignals.send(99_999_999_999, 0)).toBe('gone');
});

test.for([0, -1, 1.5, Number.NaN])('never signals a group: %d', (pid) => {
  expect(() => processSignals.send(pid, 'SIGTERM')).toThrow(TypeError);
});
