import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { listenOnLoopback } from './listen-on-loopback.ts';

const READY_DEADLINE_MS = 15_000;
const POLL_MS = 20;

export interface EtcdServerOptions {
  /** Kept when the server is closed. Default: a temporary folder, which goes with the server. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly clientPort?: number;
  /** Serve TLS with a certificate etcd makes for itself; nobody has reason to trust it. Default false. */
  readonly tls?: boolean;
  /** More command line arguments of etcd. */
  readonly extraArgs?: readonly string[];
}

/** A real etcd of one member on loopback. Stops are SIGKILL: what a power cut leaves is what `restart` finds. */
export interface EtcdServer {
  /** `http://127.0.0.1:<port>`; the same for the server's whole life. */
  readonly endpoint: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Ends the process and keeps its data. Idempotent. */
  stop(): Promise<void>;
  /** Starts again with the same data and port, ending the running process first. */
  restart(): Promise<void>;
  /** The same port with an empty history, as after the loss of a disk. */
  wipe(): Promise<void>;
  /** Freezes the process: its connections stay open and say nothing (SIGSTOP). */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Another client than the one under test: POSTs to etcd's JSON gateway, as `kv/put`. Its bytes are base64. */
  request(path: string, body: object): Promise<unknown>;
  /** Ends the process and removes a temporary data folder. Idempotent. */
  close(): Promise<void>;
}

/** Starts etcd and waits until it reports itself healthy. Rejects with what etcd said if it does not get there. */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'etcd-')));
  const port = options.clientPort ?? (await freePort());
  const endpoint = `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`;
  const args = [
    '--name=test',
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${endpoint}`,
    `--advertise-client-urls=${endpoint}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--logger=zap',
    '--log-level=warn',
    // A single member elects itself after one time-out; the usual second is only waiting.
    '--heartbeat-interval=10',
    '--election-timeout=100',
    ...(options.tls === true ? ['--auto-tls'] : []),
    ...(options.extraArgs ?? []),
  ];
  const removeTemporary = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  let child = await run(args, endpoint).catch(async (error: unknown) => {
    await removeTemporary();
    throw error;
  });

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  return {
    endpoint,
    get pid() {
      return child.pid ?? -1;
    },
    stop,
    async restart() {
      await stop();
      child = await run(args, endpoint);
    },
    async wipe() {
      await stop();
      await rm(join(dataDir, 'member'), { recursive: true, force: true });
      child = await run(args, endpoint);
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async request(path, body) {
      const response = await fetch(`${endpoint}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
      if (!response.ok)
        throw new Error(`etcd answered ${response.status} to ${path}: ${await response.text()}`);
      return response.json();
    },
    async close() {
      await stop();
      await removeTemporary();
    },
  };
}

async function run(args: readonly string[], endpoint: string): Promise<ChildProcess> {
  const child = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  let failure: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4096)));
  child.on('error', (error) => (failure = error));
  // A test that is ended before it closes its servers leaves none behind.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.on('exit', endWithUs);
  child.on('exit', () => process.off('exit', endWithUs));

  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await isHealthy(endpoint))) {
    if (failure !== undefined) throw missing(failure);
    if (child.exitCode !== null)
      throw new Error(`etcd exited with status ${child.exitCode} at start: ${output}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`etcd at ${endpoint} was not healthy within ${READY_DEADLINE_MS} ms: ${output}`);
    }
    await pause(POLL_MS);
  }
  return child;
}

function missing(cause: Error): Error {
  return new Error(
    'These tests run against a real etcd and found no etcd program: apt-get install etcd-server',
    { cause },
  );
}

function isHealthy(endpoint: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const options = { timeout: 1_000, rejectUnauthorized: false };
  const get = endpoint.startsWith('https:') ? getHttps : getHttp;
  const request = get(`${endpoint}/health`, options, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(false));
  return promise;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, 'close');
  return port;
}
