import type { Socket } from 'node:dgram';
import type { DatagramLink, DatagramLinkHandler, LinkFailure } from '@apisix-ts/core';
import { ownShortage } from '../own-shortage.ts';
import { hasLongQueue, isBound, openDatagramSocket } from './datagram-socket.ts';

/** What the system says of one datagram, and not of the way to the node: it is lost, and the next one may go through. */
const ofOneDatagram: ReadonlySet<string> = new Set(['EMSGSIZE', 'ENOBUFS', 'EAGAIN']);

/**
 * Opens a way to a node. Nothing is sent for it, so it always succeeds: what fails is told by `onFailure`.
 * @param address an ip literal.
 */
export function openDatagramLink(address: string, port: number): DatagramLink {
  return new SocketLink(address, port);
}

class SocketLink implements DatagramLink {
  handler: DatagramLinkHandler = unheard;
  readonly #socket: Socket;
  readonly #isConnected: boolean;
  #isClosed = false;
  #lastSent: Uint8Array | undefined;
  /** Datagrams that the system's answer is still to come for. Answers come in order. */
  #unanswered = 0;

  constructor(address: string, port: number) {
    this.#socket = openDatagramSocket(address);
    this.#socket.on('message', (view) => this.handler.onDatagram(view));
    // The user is told in a turn of its own: binding fails while this is still being made.
    this.#socket.on('error', (error) => process.nextTick(() => this.#fail(error, undefined)));
    this.#isConnected = bindAndConnect(this.#socket, address, port);
  }

  send(view: Uint8Array): boolean {
    if (!this.#isConnected || this.#isClosed || hasLongQueue(this.#socket)) return false;
    this.#lastSent = view;
    this.#unanswered += 1;
    this.#socket.send(view, this.#onSent);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  /** Called for every datagram, in a turn of its own. */
  readonly #onSent = (error: Error | null): void => {
    this.#unanswered -= 1;
    if (error === null || this.#isClosed || ofOneDatagram.has(errnoOf(error))) return;
    this.#fail(error, this.#unanswered === 0 ? this.#lastSent : undefined);
  };

  #fail(error: Error, unsent: Uint8Array | undefined): void {
    if (this.#isClosed) return;
    this.close();
    const errno = errnoOf(error);
    this.handler.onFailure({ kind: kindOf(errno), errno }, unsent);
  }
}

/** @returns false when either failed; an error event tells which and why. */
function bindAndConnect(socket: Socket, address: string, port: number): boolean {
  // Node would do it by itself, but queues for ever behind a binding that failed.
  socket.bind({ port: 0, exclusive: true });
  if (!isBound(socket)) return false;
  socket.connect(port, address);
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false; // It is not connected, which has no other way to be asked for.
  }
}

function kindOf(errno: string): LinkFailure['kind'] {
  if (errno === 'ECONNREFUSED') return 'refused';
  return ownShortage(errno) === undefined ? 'failed' : 'exhausted';
}

function errnoOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.name;
}

const unheard: DatagramLinkHandler = {
  onDatagram() {},
  onFailure() {},
};
