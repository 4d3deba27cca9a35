import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, runEtcd } from './etcd-process.ts';
import { freePort } from './free-port.ts';

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
  const start = (): ReturnType<typeof runEtcd> => runEtcd({ args, health: { url: endpoint } });
  let child = await start().catch(async (error: unknown) => {
    await removeTemporary();
    throw error;
  });

  const stop = (): Promise<void> => endProcess(child);

  return {
    endpoint,
    get pid() {
      return child.pid ?? -1;
    },
    stop,
    async restart() {
      await stop();
      child = await start();
    },
    async wipe() {
      await stop();
      await rm(join(dataDir, 'member'), { recursive: true, force: true });
      child = await start();
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
