import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Does something for a connection once every request that arrived whole on it has its answer, so that what is said
 * about bytes after them stands neither before nor within it. A connection that is waiting already is left alone.
 */
export type AfterAnswers = (socket: Socket, work: () => void) => void;

export function createAnswerOrder(server: Server): AfterAnswers {
  const open = new WeakMap<object, Set<ServerResponse>>();
  const waiting = new WeakSet<object>();
  server.on('request', ({ socket }, response) => {
    const responses = open.get(socket) ?? new Set();
    open.set(socket, responses.add(response));
    response.once('close', () => responses.delete(response));
  });

  return (socket, work) => {
    if (waiting.has(socket)) return;
    const last = [...(open.get(socket) ?? [])].findLast(({ req }) => req.complete);
    if (last === undefined) {
      work();
      return;
    }
    waiting.add(socket);
    // The response's owner, too, waits for its end, and comes first.
    last.once('close', () => setImmediate(work));
  };
}
