import type { Server } from 'node:net';

/** Of a server that listens; -1 for one that does not. Node has no public way to ask a server that is open. */
export function descriptorOf(server: Server): number {
  const descriptor = memberOf(server, 'fd');
  return typeof descriptor === 'number' ? descriptor : -1;
}

/**
 * From now on the system keeps one connection waiting to be accepted, and has the other clients try again. Node's own
 * `listen` is for servers that do not listen yet; where there is nothing below it, all go on waiting.
 */
export function keepOneWaiting(server: Server): void {
  const listen = memberOf(server, 'listen');
  if (typeof listen === 'function') Reflect.apply(listen, handleOf(server), [0]);
}

function memberOf(server: Server, name: string): unknown {
  const handle = handleOf(server);
  return typeof handle === 'object' && handle !== null ? Reflect.get(handle, name) : undefined;
}

function handleOf(server: Server): unknown {
  return Reflect.get(server, '_handle');
}
