import { availableParallelism } from 'node:os';
import type { Settings } from '@apisix-ts/config';

/** Where threads cannot share a port there is one; a gateway without traffic needs none. */
export function threadCount(settings: Settings): number {
  const { nginx_config, deployment } = settings;
  if (nginx_config.worker_processes === 0 || deployment.role === 'control_plane') return 0;
  if (!sharesPorts(settings)) return 1;
  return nginx_config.worker_processes === 'auto' ? availableParallelism() : nginx_config.worker_processes;
}

/**
 * Whether listeners let others have their port too, which are opened later: those of more workers, and those of the process
 * that takes over. A single worker needs that as well, or it would stay the only one.
 */
export function sharesPorts({ apisix }: Settings): boolean {
  return process.platform === 'linux' && !apisix.enable_dev_mode && apisix.enable_reuseport;
}

/** Threads that any gateway has room for in the memory that its workers share. */
const LEAST_ROOM = 8;

/**
 * How many workers the shared memory is laid out for, which cannot be changed later. Room that is never used costs addresses,
 * and four bytes for each node of an upstream.
 */
export function workerRoom(settings: Settings): number {
  const threads = threadCount(settings);
  if (threads === 0 || !sharesPorts(settings)) return 1;
  return Math.max(LEAST_ROOM, availableParallelism(), 2 * threads);
}
