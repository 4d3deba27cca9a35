import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const DEADLINE_MS = 60_000;
const POLL_MS = 20;

/** Names and their IPv4 or IPv6 addresses. */
export type DnsNames = Readonly<Record<string, readonly string[]>>;

/** An SRV record. */
export interface DnsService {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Names and their SRV records. */
export type DnsServices = Readonly<Record<string, readonly DnsService[]>>;

export interface DnsServerOptions {
  readonly names: DnsNames;
  /** Default: none. */
  readonly services?: DnsServices;
  /** Names that stand for others (CNAME), which have to be there. Default: none. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Of every answer. Seconds; default 1. */
  readonly ttlSeconds?: number;
}

/** A real DNS server (dnsmasq) on loopback that knows the given names and nothing else; it is the last word on `test`. */
export interface DnsServer {
  /** `127.0.0.1:<port>`, as resolvers take it. */
  readonly server: string;
  /** Replaces the names; settles when they are served. */
  setNames(names: DnsNames): Promise<void>;
  /** Replaces the services, by starting it anew on the same port; settles when they are served. */
  setServices(services: DnsServices): Promise<void>;
  /** Freezes it: queries arrive and are not answered (SIGSTOP). */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Ends the process. Idempotent. */
  close(): Promise<void>;
}

/** Starts dnsmasq and waits until it answers. Rejects with what it said when it does not get there. */
export async function startDnsServer({
  names,
  services = {},
  aliases = {},
  ttlSeconds = 1,
}: DnsServerOptions): Promise<DnsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'dns-'));
  const hostsFile = join(folder, 'hosts');
  const port = await freePort();
  const server = `127.0.0.1:${port}`;
  // Served beside the names, and different each time: its answer tells which file is in effect.
  let version = 0;
  let process: Dnsmasq | undefined;
  const writeNames = async (next: DnsNames): Promise<void> => {
    version += 1;
    const lines = Object.entries(next).flatMap(([name, list]) => list.map((each) => `${each} ${name}`));
    await writeFile(
      hostsFile,
      [`127.1.${version >> 8}.${version & 255} version.test`, ...lines, ''].join('\n'),
    );
  };
  const settings = [
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    `--port=${port}`,
    // Names below test that it does not know do not exist; all others it refuses.
    '--local=/test/',
    `--addn-hosts=${hostsFile}`,
    `--local-ttl=${ttlSeconds}`,
    ...Object.entries(aliases).map(([alias, target]) => `--cname=${alias},${target}`),
  ];

  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([server]);
  async function serve(next: DnsServices): Promise<void> {
    await process?.close();
    process = new Dnsmasq([...settings, ...Object.entries(next).flatMap(toServiceOptions)]);
    await serveVersion(process);
  }

  async function serveVersion(running: Dnsmasq): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!(await servesVersion(resolver, version))) {
      running.check();
      if (Date.now() > deadline) {
        throw new Error(`dnsmasq at ${server} did not serve within ${DEADLINE_MS} ms: ${running.output}`);
      }
      await pause(POLL_MS);
    }
  }

  async function close(): Promise<void> {
    await process?.close();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await writeNames(names);
    await serve(services);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    server,
    async setNames(next) {
      await writeNames(next);
      process?.signal('SIGHUP');
      if (process !== undefined) await serveVersion(process);
    },
    setServices: serve,
    pause: () => process?.signal('SIGSTOP'),
    resume: () => process?.signal('SIGCONT'),
    close,
  };
}

/** One run of dnsmasq that knows only what it is told. */
class Dnsmasq {
  output = '';
  readonly #child: ChildProcess;
  #failure: Error | undefined;

  constructor(options: readonly string[]) {
    const fixed = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=',
      '--log-facility=-',
    ];
    this.#child = spawn('dnsmasq', [...fixed, '--no-resolv', '--no-hosts', ...options], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-4096);
    });
    this.#child.on('error', (error) => (this.#failure = error));
  }

  /** Throws with the reason when it is not running. */
  check(): void {
    if (this.#failure !== undefined) {
      throw new Error(
        'these tests ask a real DNS server and found no dnsmasq: apt-get install dnsmasq-base',
        {
          cause: this.#failure,
        },
      );
    }
    if (this.#child.exitCode !== null) throw new Error(`dnsmasq ended: ${this.output}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null || this.#failure !== undefined) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

function toServiceOptions([name, records]: readonly [string, readonly DnsService[]]): readonly string[] {
  return records.map(
    ({ target, port, priority, weight }) => `--srv-host=${name},${target},${port},${priority},${weight}`,
  );
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
