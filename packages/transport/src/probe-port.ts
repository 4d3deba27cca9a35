import { createServer } from 'node:net';
import { listenError } from '@apisix-ts/errors';
import { bindSocket } from './datagram/socket-port.ts';

/**
 * Is the port free of other programs? Listeners with SO_REUSEPORT would share it without a word, even across programs
 * of one user, so a gateway asks this before it opens its own.
 * @param host an ip literal.
 * @throws GatewayError `LISTENER_PORT_IN_USE` when anyone listens there; `LISTENER_DENIED`, `LISTENER_FAILED`.
 */
export function probePort(host: string, port: number): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError('the stream proxy', host, port, error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

/** The same for UDP, whose ports are others. */
export function probeDatagramPort(host: string, port: number): void {
  bindSocket(host, port, false).close();
}
