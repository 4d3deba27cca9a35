import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { processIdentity } from './process-identity.ts';

test.runIf(process.platform === 'linux')(
  'each process has an identity of its own, as long as it lives',
  async () => {
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const { pid = 0 } = child;

    const identity = processIdentity(pid);
    expect(identity).toMatch(/^[-0-9a-f]{36} \d+$/);
    expect(processIdentity(pid)).toBe(identity);
    expect(processIdentity(process.pid)).not.toBe(identity);

    child.stdin.end();
    await once(child, 'exit');
    expect(processIdentity(pid)).toBeUndefined();
  },
);

test('a process that there cannot be has none', () => {
  expect(processIdentity(2 ** 31)).toBeUndefined();
});
