import type { Socket } from 'node:dgram';
import type { DatagramPort, DatagramPortHandler } from '@apisix-ts/core';
import { listenError } from '@apisix-ts/errors';
import { unmapped } from '../unmapped.ts';
import { hasLongQueue, isBound, openDatagramSocket } from './datagram-socket.ts';

/** What clients' sockets may hold until we read. Bytes; the system gives at most `net.core.rmem_max`. */
const RECEIVE_BUFFER = 1_048_576;

/** A bound socket as a port. */
export class SocketPort implements DatagramPort {
  handler: DatagramPortHandler = unheard;
  readonly #socket: Socket;
  /** Without the zone; undefined for the wildcard. */
  readonly #address: string | undefined;

  constructor(socket: Socket, address: string | undefined) {
    this.#socket = socket;
    this.#address = address?.replace(/%.*$/, '');
    socket.on('message', (view, { address: client, port }) => this.handler.onDatagram(view, client, port));
  }

  localAddressFor(address: string): string {
    return this.#address ?? sourceTowards(address);
  }

  send(view: Uint8Array, address: string, port: number): boolean {
    if (hasLongQueue(this.#socket)) return false;
    // Without a callback the system's answer is not told: the datagram is lost, as on the way.
    this.#socket.send(view, port, address);
    return true;
  }

  /** Closes the socket, then tells its user. */
  close(errno: string | undefined): void {
    this.#socket.close();
    this.handler.onClosed(errno);
  }
}

/**
 * Binds a socket and widens its buffer.
 * @throws GatewayError `LISTENER_PORT_IN_USE`, `LISTENER_DENIED` or `LISTENER_FAILED`.
 */
export function bindSocket(host: string, port: number, reusePort: boolean): Socket {
  const socket = openDatagramSocket(host, { reusePort });
  let failure: unknown;
  const failed = (error: Error): void => void (failure = error);
  socket.once('error', failed);
  socket.bind({ address: host, port, exclusive: true });
  socket.off('error', failed);
  if (failure !== undefined) {
    socket.close();
    throw listenError('the stream proxy', host, port, failure);
  }
  socket.setRecvBufferSize(RECEIVE_BUFFER);
  return socket;
}

/** The address that the system would send from. */
function sourceTowards(client: string): string {
  const socket = openDatagramSocket(client);
  // Without a way there is no address; whoever asks gets an empty one.
  socket.on('error', () => {});
  socket.bind({ port: 0, exclusive: true });
  if (!isBound(socket)) {
    socket.close();
    return '';
  }
  // Any port will do: nothing is sent.
  socket.connect(9, client);
  const { address } = socket.address();
  socket.close();
  return unmapped(address);
}

const unheard: DatagramPortHandler = {
  onDatagram() {},
  onClosed() {},
};
