import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { runOrFail, startProcess } from './process.ts';

/** A real Redis server on loopback that keeps nothing. */
export interface RedisServer {
  /** `127.0.0.1:<port>`. */
  readonly server: string;
  readonly port: number;
  /** Runs redis-cli with these arguments. @returns what it printed. */
  cli(...args: readonly string[]): Promise<string>;
  /** Freezes it: connections come up, and nothing is answered (SIGSTOP). */
  pause(): void;
  /** Ends the process, also while it is frozen. Idempotent. */
  close(): Promise<void>;
}

export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const options = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder];
  const server = await startProcess('redis-server', options);
  const close = async (): Promise<void> => {
    server.kill('SIGCONT');
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.waitForOutput(/Ready to accept connections/);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    server: `127.0.0.1:${port}`,
    port,
    cli: (...args) => runOrFail('redis-cli', ['-p', String(port), ...args]),
    pause: () => server.kill('SIGSTOP'),
    close,
  };
}
