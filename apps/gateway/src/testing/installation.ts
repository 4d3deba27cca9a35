import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';
import { GatewayProcess } from '../gateway-process.ts';
import type { GatewayProcessOptions } from '../gateway-process.ts';

/** The ports of one gateway, all free. */
export interface Ports {
  readonly stream: number;
  readonly http: number;
  readonly admin: number;
  readonly control: number;
  readonly status: number;
  readonly metrics: number;
}

export interface Installation {
  readonly home: string;
  readonly ports: Ports;
  /** Replaces `conf/config.yaml`. */
  readonly configure: (yaml: string) => Promise<void>;
  readonly start: (options?: Pick<GatewayProcessOptions, 'openStore'>) => Promise<GatewayProcess>;
  readonly read: (file: string) => Promise<string>;
}

/**
 * An empty installation in a temporary folder, removed when the test is over.
 * @param env of the gateway.
 */
export async function createInstallation(env: NodeJS.ProcessEnv = {}): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'apisix-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await mkdir(join(home, 'conf'));
  return {
    home,
    ports: {
      stream: await freePort(),
      http: await freePort(),
      admin: await freePort(),
      control: await freePort(),
      status: await freePort(),
      metrics: await freePort(),
    },
    configure: (yaml) => writeFile(join(home, 'conf', 'config.yaml'), yaml),
    start: async (options = {}) => {
      const gateway = await GatewayProcess.start({
        home,
        config: undefined,
        env,
        isForeground: false,
        ...options,
      });
      gateway.announce();
      onTestFinished(() => gateway.stop());
      return gateway;
    },
    read: (file) => readFile(join(home, file), 'utf8'),
  };
}

/** A whole config.yaml: everything on loopback, the data plane in the calling thread. */
export function configYaml(ports: Ports, streamPorts: readonly number[] = [ports.stream]): string {
  return `
apisix:
  proxy_mode: http&stream
  enable_ipv6: false
  node_listen: [{ ip: 127.0.0.1, port: ${ports.http} }]
  stream_proxy: { tcp: [${streamPorts.map((port) => `"127.0.0.1:${port}"`).join(', ')}] }
  control: { ip: 127.0.0.1, port: ${ports.control} }
  status: { ip: 127.0.0.1, port: ${ports.status} }
deployment:
  admin:
    admin_key_required: false
    admin_listen: { ip: 127.0.0.1, port: ${ports.admin} }
plugin_attr:
  prometheus: { export_addr: { ip: 127.0.0.1, port: ${ports.metrics} } }
nginx_config:
  worker_processes: 0
`;
}
