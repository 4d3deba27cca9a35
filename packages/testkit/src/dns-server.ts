import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 10_000;
const POLL_MS = 20;

/** Names and their IPv4 or IPv6 addresses. */
export type DnsNames = Readonly<Record<string, readonly string[]>>;

export interface DnsServerOptions {
  readonly names: DnsNames;
  /** Of every answer. Seconds; default 1. */
  readonly ttlSeconds?: number;
}

/** A real DNS server (dnsmasq) on loopback that knows the given names and nothing else. */
export interface DnsServer {
  /** `127.0.0.1:<port>`, as resolvers take it. */
  readonly server: string;
  /** Replaces the names; settles when they are served. */
  setNames(names: DnsNames): Promise<void>;
  /** Freezes it: queries arrive and are not answered (SIGSTOP). */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Ends the process. Idempotent. */
  close(): Promise<void>;
}

/** Starts dnsmasq and waits until it answers. Rejects with what it said when it does not get there. */
export async function startDnsServer({ names, ttlSeconds = 1 }: DnsServerOptions): Promise<DnsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dns-'));
  const hostsFile = join(folder, 'hosts');
  const port = await freePort();
  const server = `127.0.0.1:${port}`;
  // Served beside the names, and different each time: its answer tells which file is in effect.
  let version = 0;
  const writeNames = async (next: DnsNames): Promise<void> => {
    version += 1;
    const lines = Object.entries(next).flatMap(([name, list]) => list.map((each) => `${each} ${name}`));
    await writeFile(
      hostsFile,
      [`127.1.${version >> 8}.${version & 255} version.test`, ...lines, ''].join('\n'),
    );
  };
  await writeNames(names);

  const child = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=',
      '--log-facility=-',
      '--no-resolv',
      '--no-hosts',
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      `--port=${port}`,
      `--addn-hosts=${hostsFile}`,
      `--local-ttl=${ttlSeconds}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  let failure: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4096)));
  child.on('error', (error) => (failure = error));

  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([server]);
  async function serveVersion(): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!(await servesVersion(resolver, version))) {
      if (failure !== undefined) {
        throw new Error(
          'these tests ask a real DNS server and found no dnsmasq: apt-get install dnsmasq-base',
          {
            cause: failure,
          },
        );
      }
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`dnsmasq at ${server} did not serve within ${DEADLINE_MS} ms: ${output}`);
      }
      await pause(POLL_MS);
    }
  }

  async function close(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null && failure === undefined) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await serveVersion();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    server,
    async setNames(next) {
      await writeNames(next);
      child.kill('SIGHUP');
      await serveVersion();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    close,
  };
}

async function servesVersion(resolver: Resolver, version: number): Promise<boolean> {
  try {
    const [address] = await resolver.resolve4('version.test');
    return address === `127.1.${version >> 8}.${version & 255}`;
  } catch {
    // Not listening yet, or the file is not read yet: ask again.
    return false;
  }
}

/** dnsmasq listens on UDP and TCP: where clients come and go by the thousand, a port is often free for one only. */
async function freePort(): Promise<number> {
  for (;;) {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const socket = createSocket('udp4');
    const isFree = await bind(socket, typeof address === 'object' ? (address?.port ?? 0) : 0);
    await Promise.all([closed(listener), closed(socket)]);
    if (isFree && typeof address === 'object' && address !== null) return address.port;
  }
}

async function bind(socket: Socket, port: number): Promise<boolean> {
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false; // In use: the caller takes another.
  }
}

async function closed(opened: Server | Socket): Promise<void> {
  opened.close();
  await once(opened, 'close');
}
