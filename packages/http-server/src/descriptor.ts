import type { Server } from 'node:net';

/** Of a server that listens; -1 for one that does not. Node has no public way to ask a server that is open. */
export function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : -1;
  return typeof descriptor === 'number' ? descriptor : -1;
}
