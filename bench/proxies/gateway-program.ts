import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Workbench } from '../programs/workbench.ts';

const MAIN = fileURLToPath(new URL('dist/main.js', import.meta.resolve('@apisix-ts/gateway/package.json')));

export interface GatewayProgramOptions {
  /** Absolute path of an installation that this makes. */
  readonly home: string;
  readonly ports: readonly number[];
  /** Default: none. */
  readonly udpPorts?: readonly number[];
  readonly workers: number;
  readonly relay: 'auto' | 'socket';
  /** Absent: no Admin API. */
  readonly adminPort?: number;
  /** Absent: no metrics. */
  readonly metricsPort?: number;
  /** Absent: the embedded store. */
  readonly etcd?: string;
  /** Default: any. */
  readonly cpu?: number;
}

export interface GatewayProgram {
  readonly child: ChildProcess;
  readonly pid: number;
  /** From the start of the process until it served. Milliseconds. */
  readonly readyMs: number;
}

/** Where a gateway with this home has its embedded store. */
export function embeddedStorePath(home: string): string {
  return join(home, 'data', 'apisix.db');
}

/** Starts the gateway as it was built, and waits until it serves. Rejects with what it says if it does not get there. */
export async function startGateway(
  workbench: Workbench,
  options: GatewayProgramOptions,
): Promise<GatewayProgram> {
  const { home, cpu } = options;
  mkdirSync(join(home, 'conf'), { recursive: true });
  // JSON is YAML.
  writeFileSync(join(home, 'conf', 'config.yaml'), JSON.stringify(settings(options)));
  const startedMs = performance.now();
  const child = workbench.spawn({
    command: process.execPath,
    args: [MAIN, '--home', home],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(cpu === undefined ? {} : { cpu }),
  });
  const [report]: unknown[] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof report !== 'object' || report === null || !('type' in report) || report.type !== 'ready') {
    throw new Error(`the gateway did not start: ${JSON.stringify(report)}`);
  }
  return { child, pid: child.pid ?? -1, readyMs: performance.now() - startedMs };
}

function settings(options: GatewayProgramOptions): object {
  const { ports, udpPorts = [], workers, relay, adminPort, metricsPort, etcd } = options;
  return {
    apisix: {
      proxy_mode: 'stream',
      stream_proxy: {
        tcp: ports.map((port) => `127.0.0.1:${port}`),
        ...(udpPorts.length === 0 ? {} : { udp: udpPorts.map((port) => `127.0.0.1:${port}`) }),
      },
      enable_admin: adminPort !== undefined,
      enable_control: false,
    },
    nginx_config: { worker_processes: workers, stream: { relay } },
    deployment: {
      admin: {
        admin_key_required: false,
        ...(adminPort === undefined ? {} : { admin_listen: { ip: '127.0.0.1', port: adminPort } }),
      },
      ...(etcd === undefined ? {} : { etcd: { host: [etcd] } }),
    },
    plugin_attr: {
      prometheus:
        metricsPort === undefined
          ? { enable_export_server: false }
          : { export_addr: { ip: '127.0.0.1', port: metricsPort } },
    },
  };
}
