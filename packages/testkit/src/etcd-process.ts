import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const READY_DEADLINE_MS = 60_000;
const POLL_MS = 20;

export interface EtcdProcessOptions {
  /** Of etcd. */
  readonly args: readonly string[];
  /** A program and its arguments that etcd is run by. Default: none. */
  readonly runner?: readonly string[];
  /** Default: that of this process. */
  readonly cwd?: string;
  /** Where it can be asked whether it is healthy. */
  readonly health: { readonly url: string } | { readonly socketPath: string };
}

/** Starts etcd and waits until it reports itself healthy. Rejects with what it said if it does not get there. */
export async function runEtcd({ args, runner = [], cwd, health }: EtcdProcessOptions): Promise<ChildProcess> {
  const [program = 'etcd', ...rest] = [...runner, 'etcd', ...args];
  const child = spawn(program, rest, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  let failure: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4096)));
  child.on('error', (error) => (failure = error));
  // A test that is ended before it closes its servers leaves none behind.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.on('exit', endWithUs);
  child.on('exit', () => process.off('exit', endWithUs));

  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await isHealthy(health))) {
    if (failure !== undefined) throw missing(failure);
    if (child.exitCode !== null)
      throw new Error(`etcd exited with status ${child.exitCode} at start: ${output}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(
        `etcd was not healthy within ${READY_DEADLINE_MS} ms (${JSON.stringify(health)}): ${output}`,
      );
    }
    await pause(POLL_MS);
  }
  return child;
}

/** Ends a process as a power cut does (SIGKILL); settles when it is gone. Idempotent. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function missing(cause: Error): Error {
  return new Error(
    'These tests run against a real etcd and found no etcd program: apt-get install etcd-server',
    { cause },
  );
}

function isHealthy(health: EtcdProcessOptions['health']): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const url = 'url' in health ? health.url : 'http://etcd';
  const options = {
    timeout: 1_000,
    rejectUnauthorized: false,
    ...('url' in health ? {} : { socketPath: health.socketPath, agent: false as const }),
  };
  const get = url.startsWith('https:') ? getHttps : getHttp;
  const request = get(`${url}/health`, options, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(false));
  return promise;
}
