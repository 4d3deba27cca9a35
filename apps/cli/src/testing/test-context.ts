import type { Clock } from '@apisix-ts/config';
import type { CommandContext } from '../command.ts';
import { processSignals } from '../signals.ts';

/** A context whose output is kept. */
export interface TestContext extends CommandContext {
  readonly printed: { stdout: string; stderr: string };
}

/** @param parts what the test cares about; the rest is real, and the gateway is a program that does nothing. */
export function testContext(parts: Partial<CommandContext>): TestContext {
  const printed = { stdout: '', stderr: '' };
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
    clock: fastClock(),
    signals: processSignals,
    gateway: { executable: '/dev/null', args: [] },
    ...parts,
    printed,
  };
}

/** Time passes as fast as it is waited for. */
export function fastClock(): Clock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const pending = setImmediate(() => {
        nowMs += delayMs;
        callback();
      });
      return () => clearImmediate(pending);
    },
  };
}
