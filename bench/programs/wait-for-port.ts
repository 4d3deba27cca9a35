import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 10_000;
const POLL_MS = 10;

/** Settles when the program accepts connections there. Rejects when it ended, or did not get there in ten seconds. */
export async function waitForPort(name: string, child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  while (!(await isAccepting(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}: ${said}`);
    if (Date.now() > deadline) throw new Error(`${name} did not listen on port ${port} in time: ${said}`);
    await pause(POLL_MS);
  }
}

async function isAccepting(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not yet.
    return false;
  } finally {
    socket.destroy();
  }
}
