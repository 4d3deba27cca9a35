import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand, runOrFail, startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';

/** A container engine that answers. */
export interface DockerEngine {
  /** For the `DOCKER_HOST` variable of its clients. */
  readonly host: string;
  /** Runs the command line client. Rejects when it fails. @returns its stdout, without the last line break. */
  docker(...args: readonly string[]): Promise<string>;
  /** Where its published ports are: arguments of a `nsenter` that enters that network. Empty: the machine's own. */
  readonly network: readonly string[];
  /** Stops the engine if it is ours, with every container in it. Idempotent. */
  close(): Promise<void>;
}

export interface NoDockerEngine {
  /** Half a sentence: why there is none. */
  readonly missing: string;
}

/**
 * The engine that runs here already, or, as root, one of our own that ends with `close`. Ours has no network: its
 * containers use the machine's, so it makes no bridge and no packet filter rules, and several can run at once.
 */
export async function openDockerEngine(): Promise<DockerEngine | NoDockerEngine> {
  const running = clientOf(process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock');
  if (await answers(running)) return { ...running, network: [], close: async () => {} };
  return startEngine(inMachineNetwork);
}

/**
 * An engine of our own in a network of its own: names of containers, their networks and any port can be used as a guide
 * has them, and nobody else meets them.
 */
export function openIsolatedEngine(): Promise<DockerEngine | NoDockerEngine> {
  return startEngine(inOwnNetwork);
}

const inMachineNetwork = {
  unshare: ['--mount', 'dockerd', '--bridge=none', '--iptables=false', '--ip6tables=false'],
  network: () => [],
};

const inOwnNetwork = {
  unshare: ['--mount', '--net', 'sh', '-c', 'ip link set lo up && exec dockerd "$@"', 'sh'],
  network: (pid: number) => [`--net=/proc/${pid}/ns/net`],
};

type Surroundings = typeof inMachineNetwork | typeof inOwnNetwork;

async function startEngine(surroundings: Surroundings): Promise<DockerEngine | NoDockerEngine> {
  if (process.getuid?.() !== 0) return { missing: 'no engine answers, and only root can start one' };
  const folder = await mkdtemp(join(tmpdir(), 'dockerd-'));
  const client = clientOf(`unix://${join(folder, 'docker.sock')}`);
  let daemon: RunningProcess | undefined;
  const close = async (): Promise<void> => {
    await daemon?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    daemon = await startDaemon(folder, client.host, surroundings);
    await waitForAnswer(client, daemon);
  } catch (error) {
    await close();
    return { missing: `dockerd did not start: ${String(error)}` };
  }
  return { ...client, network: surroundings.network(daemon.pid), close };
}

async function startDaemon(folder: string, host: string, { unshare }: Surroundings): Promise<RunningProcess> {
  const config = join(folder, 'daemon.json');
  await writeFile(config, '{}');
  // In a mount namespace of its own: what the engine mounts below the folder goes with it, however it ends.
  return startProcess('unshare', [
    ...unshare,
    `--config-file=${config}`,
    `--host=${host}`,
    `--pidfile=${join(folder, 'docker.pid')}`,
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
  ]);
}

async function waitForAnswer(client: Client, daemon: RunningProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  let hasEnded = false;
  void daemon.exited.then(() => (hasEnded = true));
  while (!(await answers(client))) {
    if (hasEnded || Date.now() > deadline) throw new Error(daemon.output().slice(-2_000));
    await pause(100);
  }
}

type Client = Pick<DockerEngine, 'host' | 'docker'>;

function clientOf(host: string): Client {
  const env = { DOCKER_HOST: host };
  return {
    host,
    docker: async (...args) => (await runOrFail('docker', args, { env, limitMs: 300_000 })).trimEnd(),
  };
}

async function answers({ host }: Pick<Client, 'host'>): Promise<boolean> {
  try {
    // `docker info` also exits 0 when only the client is there.
    const args = ['info', '--format', '{{.ServerVersion}}'];
    const { status, stdout } = await runCommand('docker', args, {
      env: { DOCKER_HOST: host },
      limitMs: 60_000,
    });
    return status === 0 && stdout.trim() !== '';
  } catch {
    return false; // No docker client on this machine.
  }
}
