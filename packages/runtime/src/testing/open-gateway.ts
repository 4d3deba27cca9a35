import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import type { MemoryStore, Settings, StreamProxyEntry, TracingSettings } from '@apisix-ts/config';
import type { Lookup } from '@apisix-ts/discovery';
import { freePort } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';
import { createGateway } from '../gateway.ts';
import type { Gateway, GatewayHeritage } from '../gateway-contract.ts';
import type { WorkerProgram } from '../workers/worker-program.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface OpenGateway {
  readonly gateway: Gateway;
  readonly store: MemoryStore;
  readonly port: number;
  /** Of the UDP listeners. */
  readonly udpPort: number;
  readonly lines: readonly LogLine[];
  /** The access log so far. */
  access(): string;
  /** Writes a resource and waits until every worker has it. */
  put(key: string, document: unknown): Promise<void>;
  /** Deletes a resource and waits until no worker has it. */
  delete(key: string): Promise<void>;
  /** Settles with the first line of the log that has this message. */
  logged(message: string): Promise<LogLine>;
  /** The settings with other stream ports. */
  withPorts(...ports: number[]): Settings;
  /** The settings with UDP listeners on these hosts instead. */
  withUdpHosts(...hosts: string[]): Settings;
  /** The settings with another entry for the stream port. */
  withEntry(entry: Omit<StreamProxyEntry, 'addr'>): Settings;
}

export interface OpenGatewayOptions {
  /** 0 is the calling thread. */
  readonly workers: number;
  readonly lookup?: Lookup;
  /** Where `$env://` references are looked up. Default: nowhere. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds until a secret is read again, failed reads too. Default: those of the settings. */
  readonly secretTtl?: number;
  /** Default: `system`. */
  readonly trustedCertificate?: string;
  /** A DNS server for names and for `discovery_type: dns`. */
  readonly dnsServer?: string;
  readonly halfClose?: boolean;
  readonly shutdownTimeout?: string;
  /** More of the `stream_proxy.tcp` entries. */
  readonly entry?: Omit<StreamProxyEntry, 'addr'>;
  /** The format of the access log; absent: none is written. */
  readonly accessLogFormat?: string;
  /** Peers whose PROXY header is believed. */
  readonly realIpFrom?: readonly string[];
  /** Where to listen on UDP too, all at one port: `127.0.0.1`, `[::1]`. */
  readonly udpHosts?: readonly string[];
  /** UDP sessions per worker. */
  readonly udpSessions?: number;
  /** Default: off. */
  readonly tracing?: Partial<TracingSettings>;
  /** Of a gateway that this one follows on. */
  readonly inherited?: GatewayHeritage;
  /** What the store holds from the start, by key. */
  readonly documents?: Readonly<Record<string, unknown>>;
  /** What the threads run. Default: the program of this package. */
  readonly workerProgram?: WorkerProgram;
}

/** A started gateway on a memory store, with one stream port and no routes. It is closed when the test is over. */
export async function openGateway(options: OpenGatewayOptions): Promise<OpenGateway> {
  const {
    workers,
    lookup,
    dnsServer,
    env = {},
    secretTtl,
    trustedCertificate = 'system',
    halfClose = true,
    shutdownTimeout = '240s',
    entry = {},
    realIpFrom,
    accessLogFormat,
    udpHosts = [],
    udpSessions,
    tracing,
    documents = {},
    inherited,
    workerProgram,
  } = options;
  const port = await freePort();
  const udpPort = await freePort();
  const settingsWith = (
    ports: readonly number[],
    tcp: Omit<StreamProxyEntry, 'addr'>,
    hosts = udpHosts,
  ): Settings =>
    settingsFrom({
      apisix: {
        proxy_mode: 'stream',
        ...(dnsServer === undefined ? {} : { dns_resolver: [dnsServer] }),
        stream_proxy: {
          tcp: ports.map((each) => ({ addr: `127.0.0.1:${each}`, ...tcp })),
          ...(hosts.length === 0 ? {} : { udp: hosts.map((host) => `${host}:${udpPort}`) }),
        },
        ssl: { ssl_trusted_certificate: trustedCertificate },
        ...(secretTtl === undefined ? {} : { lru: { secret: { ttl: secretTtl, neg_ttl: secretTtl } } }),
      },
      ...(dnsServer === undefined ? {} : { discovery: { dns: { servers: [dnsServer] } } }),
      nginx_config: {
        worker_processes: workers,
        worker_shutdown_timeout: shutdownTimeout,
        stream: {
          half_close: halfClose,
          ...(udpSessions === undefined ? {} : { udp_sessions: udpSessions }),
          ...(tracing === undefined ? {} : { tracing }),
          ...(accessLogFormat === undefined
            ? {}
            : { enable_access_log: true, access_log_format: accessLogFormat }),
          ...(realIpFrom === undefined ? {} : { real_ip_from: realIpFrom }),
        },
      },
    });

  const withPorts = (...ports: number[]): Settings => settingsWith(ports, entry);

  let access = '';
  const lines: LogLine[] = [];
  let waiting: { readonly message: string; readonly resolve: (line: LogLine) => void }[] = [];
  const store = createMemoryStore();
  for (const [key, document] of Object.entries(documents)) {
    await store.writer.put(key, JSON.stringify(document));
  }
  const gateway = createGateway(withPorts(port), {
    store,
    env,
    ...(lookup === undefined ? {} : { lookup }),
    ...(inherited === undefined ? {} : { inherited }),
    ...(workerProgram === undefined ? {} : { workerProgram }),
    writeAccess: (text) => {
      access += text;
    },
    log(level, message, fields = {}) {
      const line = { level, message, fields };
      lines.push(line);
      for (const waiter of waiting) if (waiter.message === message) waiter.resolve(line);
      waiting = waiting.filter((waiter) => waiter.message !== message);
    },
  });
  await gateway.start();
  onTestFinished(async () => {
    await gateway.close();
    await store.close();
  });

  return {
    gateway,
    store,
    port,
    udpPort,
    lines,
    access: () => access,
    withPorts,
    withUdpHosts: (...hosts) => settingsWith([port], entry, hosts),
    withEntry: (tcp) => settingsWith([port], tcp),
    async put(key, document) {
      const { revision } = await store.writer.put(key, JSON.stringify(document));
      await gateway.whenApplied(revision);
    },
    async delete(key) {
      const deleted = await store.writer.delete(key);
      if (deleted === undefined) throw new TypeError(`there is no ${key}`);
      await gateway.whenApplied(deleted.revision);
    },
    logged(message) {
      const line = lines.find((each) => each.message === message);
      if (line !== undefined) return Promise.resolve(line);
      const { promise, resolve } = Promise.withResolvers<LogLine>();
      waiting.push({ message, resolve });
      return promise;
    },
  };
}
