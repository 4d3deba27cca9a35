import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const MARK = 'GATEWAY_BENCH_NETWORK';

/**
 * Becomes the same program in a network namespace of its own, where there is nothing but loopback: nobody else's ports and
 * traffic, and no firewall whose table of connections would fill up with ours. Returns where that has happened already,
 * and where it cannot be done, which takes root or user namespaces, unshare, and ip.
 */
export function enterOwnNetwork(): void {
  if (hasOwnNetwork()) return;
  const unshare = process.getuid?.() === 0 ? ['--net'] : ['--map-root-user', '--net'];
  const { status } = spawnSync('unshare', [...unshare, 'ip', 'link', 'set', 'lo', 'up']);
  if (status !== 0 || process.execve === undefined) return;
  const script = `exec unshare ${unshare.join(' ')} sh -c 'ip link set lo up && exec "$@"' sh "$@"`;
  const args = ['sh', '-c', script, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve('/bin/sh', args, { ...process.env, [MARK]: 'own' });
}

export function hasOwnNetwork(): boolean {
  return process.env[MARK] !== undefined;
}

export function describeNetwork(): string {
  if (hasOwnNetwork()) return 'loopback of its own namespace';
  return `loopback of the machine, connections ${isTrackingConnections() ? '' : 'not '}tracked`;
}

/** A firewall or a container engine makes the kernel keep a table of all connections, also of those on loopback. */
export function isTrackingConnections(): boolean {
  const count = '/proc/sys/net/netfilter/nf_conntrack_count';
  return existsSync(count) && Number(readFileSync(count, 'latin1')) > 0;
}
