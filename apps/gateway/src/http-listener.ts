import { once } from 'node:events';
import { listenError } from '@apisix-ts/errors';
import { createLimitedServer, descriptorOf } from '@apisix-ts/http-server';
import type { HttpLimits } from '@apisix-ts/http-server';
import type { HttpActivity } from './http-activity.ts';
import type { Service } from './service.ts';

/** What the reference answers to a request that no route matches. There are no HTTP routes yet, so to every one. */
const NOT_FOUND = '{"error_msg":"404 Route Not Found"}\n';

/** Serves one address of `apisix.node_listen`. Clients that are slow, idle or too many are let go. Rejects with `LISTENER_*`. */
export async function openHttpListener(
  host: string,
  port: number,
  serverToken: string,
  activity: HttpActivity,
  inherited?: number,
  limits?: HttpLimits,
): Promise<Service> {
  const server = createLimitedServer((request, response) => {
    request.resume();
    response.writeHead(404, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(NOT_FOUND),
      Server: serverToken,
    });
    response.end(NOT_FOUND);
  }, limits);
  activity.watch(server);
  server.listen(inherited === undefined ? { host, port, ipv6Only: host === '::' } : { fd: inherited });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError('apisix.node_listen', host, port, error);
  }
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { descriptor: descriptorOf(server), close, drain: close };
}
