import { execFile } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { Agent, request as requestHttp } from 'node:http';
import type { RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcess, runEtcd } from '../etcd-process.ts';
import { openTcpGate } from '../tcp-gate.ts';
import type { TcpGate } from '../tcp-gate.ts';
import type { MemberNetwork, MemberPlace } from './member-network.ts';
import { openNamespaceNetwork } from './namespace-network.ts';
import { openProxyNetwork } from './proxy-network.ts';

const SIZE = 3;
const MEMORY_FOLDER = '/dev/shm';
/** More than three members reserve for their logs. */
const DATA_BYTES = 2 ** 30;
const LEADER_DEADLINE_MS = 60_000;
const POLL_MS = 20;

export interface EtcdClusterOptions {
  /** What members are partitioned by. Default: network namespaces where they can be made, otherwise proxies. */
  readonly network?: 'proxies';
}

export interface EtcdMember {
  /** `http://127.0.0.1:<port>`, for the client under test; the same for the member's whole life. */
  readonly endpoint: string;
  /** Between that client and the member. */
  readonly gate: TcpGate;
  /** Ends the process and keeps its data. Idempotent. */
  stop(): Promise<void>;
  /** Starts it again; settles when it is healthy, which takes a majority. */
  restart(): Promise<void>;
  /** Freezes the process: its connections stay open and say nothing (SIGSTOP). */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /**
   * Another client than the one under test, which passes no gate: POSTs to etcd's JSON gateway, as `kv/put`. Its bytes
   * are base64. Rejects when there is no good answer within 2 s.
   */
  request(path: string, body: object, token?: string): Promise<unknown>;
}

/** Three real members on loopback. Ends are SIGKILL: what a power cut leaves is what a restart finds. */
export interface EtcdCluster {
  readonly members: readonly EtcdMember[];
  /** Of all members. */
  readonly endpoints: readonly string[];
  /** What `isolate` works by. */
  readonly partitionedBy: MemberNetwork['kind'];
  /** Settles with the member that leads once a majority agrees. */
  leader(): Promise<EtcdMember>;
  /** Cuts a member off from the other two; clients still reach it. */
  isolate(member: EtcdMember): Promise<void>;
  heal(): Promise<void>;
  /** `etcdctl snapshot save`. */
  saveSnapshot(file: string): Promise<void>;
  /** Ends all members and starts them with nothing, or with what `etcdctl snapshot restore` makes of the file. */
  replace(file?: string): Promise<void>;
  /** Ends all members and removes their data and network. Idempotent. */
  close(): Promise<void>;
}

/** Starts a cluster and waits until it has a leader. */
export async function startEtcdCluster({ network }: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  const folder = await mkdtemp(join(await dataRoot(), 'etcd-'));
  const between =
    (network === undefined ? await openNamespaceNetwork(SIZE) : undefined) ?? (await openProxyNetwork(SIZE));
  const initialCluster = between.places.map(({ peerUrl }, index) => `${nameOf(index)}=${peerUrl}`).join(',');
  const members = await Promise.all(
    between.places.map((place, index) =>
      openMember({ name: nameOf(index), folder: join(folder, nameOf(index)), place, initialCluster }),
    ),
  );

  async function close(): Promise<void> {
    await Promise.all(members.map((member) => member.close()));
    await between.close();
    await rm(folder, { recursive: true, force: true });
  }

  async function leader(): Promise<EtcdMember> {
    const deadline = Date.now() + LEADER_DEADLINE_MS;
    for (;;) {
      const answers = await Promise.all(members.map((member) => member.status().catch(() => undefined)));
      for (const [index, member] of members.entries()) {
        const id = answers[index]?.id;
        const votes = answers.filter((answer) => answer !== undefined && answer.leader === id);
        if (id !== undefined && votes.length > SIZE / 2) return member;
      }
      if (Date.now() > deadline) throw new Error(`etcd has no leader after ${LEADER_DEADLINE_MS} ms`);
      await pause(POLL_MS);
    }
  }

  try {
    await Promise.all(members.map((member) => member.restart()));
    await leader();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    members,
    endpoints: members.map(({ endpoint }) => endpoint),
    partitionedBy: between.kind,
    leader,
    async isolate(member) {
      for (const [index, each] of members.entries()) {
        if (each === member) await between.isolate(index, (await each.status()).id);
      }
    },
    heal: () => between.heal(),
    async saveSnapshot(file) {
      const { endpoint } = await leader();
      await etcdctl(`--endpoints=${endpoint}`, 'snapshot', 'save', file);
    },
    async replace(file) {
      await Promise.all(members.map((member) => member.stop()));
      await Promise.all(members.map((member) => member.fill(file)));
      await Promise.all(members.map((member) => member.restart()));
      await leader();
    },
    close,
  };
}

interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  readonly place: MemberPlace;
  readonly initialCluster: string;
}

interface OwnedMember extends EtcdMember {
  status(): Promise<{ readonly id: string; readonly leader: string }>;
  /** Replaces the data of a member that is stopped. */
  fill(file: string | undefined): Promise<void>;
  close(): Promise<void>;
}

async function openMember({ name, folder, place, initialCluster }: MemberOptions): Promise<OwnedMember> {
  await mkdir(folder);
  // Clients come by a unix socket, because the member may be in a network of its own.
  const socketName = 'client:1';
  const socketPath = join(folder, socketName);
  const dataDir = join(folder, 'data');
  const gate = await openTcpGate(socketPath);
  const agent = new Agent({ keepAlive: true });
  const founding = [
    `--name=${name}`,
    `--data-dir=${dataDir}`,
    `--initial-cluster=${initialCluster}`,
    `--initial-advertise-peer-urls=${place.peerUrl}`,
  ];
  let child: ChildProcess | undefined;

  async function stop(): Promise<void> {
    if (child !== undefined) await endProcess(child);
  }

  async function request(path: string, body: object, token?: string): Promise<unknown> {
    const headers = token === undefined ? {} : { Authorization: token };
    return postJson({ socketPath, path: `/v3/${path}`, method: 'POST', agent, headers }, body);
  }

  return {
    endpoint: `http://127.0.0.1:${gate.port}`,
    gate,
    stop,
    request,
    async restart() {
      await stop();
      // A process that was killed leaves it.
      await rm(socketPath, { force: true });
      child = await runEtcd({
        args: [
          ...founding,
          `--listen-client-urls=unix://${socketName}`,
          `--advertise-client-urls=unix://${socketName}`,
          `--listen-peer-urls=${place.listenUrl}`,
          '--logger=zap',
          '--log-level=error',
          '--heartbeat-interval=50',
          '--election-timeout=500',
        ],
        runner: place.runner,
        cwd: folder,
        health: { socketPath },
      });
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async status() {
      // etcd's own shape of the answer; a member that does not know a leader says 0, or leaves it out.
      const { header, leader } = (await request('maintenance/status', {})) as {
        readonly header: { readonly member_id: string };
        readonly leader?: string;
      };
      return { id: toHex(header.member_id), leader: toHex(leader ?? '0') };
    },
    async fill(file) {
      await rm(dataDir, { recursive: true, force: true });
      if (file !== undefined) await etcdctl('snapshot', 'restore', file, ...founding);
    },
    async close() {
      await stop();
      agent.destroy();
      await gate.close();
    },
  };
}

/** In memory where there is room: every write to etcd waits for the disks of a majority. */
async function dataRoot(): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FOLDER);
    return bavail * bsize > DATA_BYTES ? MEMORY_FOLDER : tmpdir();
  } catch {
    // Not every system has it.
    return tmpdir();
  }
}

function nameOf(index: number): string {
  return `m${index}`;
}

function toHex(decimal: string): string {
  return BigInt(decimal).toString(16);
}

function postJson(options: RequestOptions, body: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const signal = AbortSignal.timeout(2_000);
  const request = requestHttp({ ...options, signal }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    response.on('error', reject).on('end', () => {
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`etcd answered ${response.statusCode}: ${text}`));
    });
  });
  request.on('error', reject).end(JSON.stringify(body));
  return promise;
}

async function etcdctl(...args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('etcdctl', args, { env: { ...process.env, ETCDCTL_API: '3' } });
  } catch (cause) {
    throw new Error('etcdctl failed; if it is missing: apt-get install etcd-client', { cause });
  }
}
