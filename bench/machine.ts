import { cpus, release } from 'node:os';
import { versionOf } from './programs/installed.ts';
import { describeNetwork } from './programs/own-network.ts';
import { haproxyVersion } from './proxies/haproxy.ts';
import { nginxVersion } from './proxies/nginx.ts';
import type { Table } from './report.ts';

export const etcdVersion: string | undefined = versionOf('etcd', '--version');

/** What the figures depend on. */
export function describeMachine(command: string): Table {
  const [cpu] = cpus();
  const version = (text: string | undefined): string => text ?? 'not installed';
  return {
    columns: ['what', 'which'],
    rows: [
      ['command', `\`${command}\``],
      ['CPU', `${cpus().length} × ${cpu?.model ?? 'unknown'}`],
      ['kernel', `Linux ${release()}`],
      ['network', describeNetwork()],
      ['Node', process.versions.node],
      ['nginx', version(nginxVersion)],
      ['HAProxy', version(haproxyVersion)],
      ['etcd', version(etcdVersion)],
    ],
  };
}
