import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

export interface DatagramSocketOptions {
  /** Share the port with other sockets that say so too (SO_REUSEPORT). Linux. Default false. */
  readonly reusePort?: boolean;
}

/**
 * What may wait in a socket until the system takes it. Bytes; beyond it datagrams are dropped, as a full buffer of the
 * system would. It has room for a few of the largest.
 */
const LONGEST_QUEUE = 262_144;

/**
 * A UDP socket, not bound yet, for literal addresses of one family: they need no look-up, so binding, connecting and
 * sending happen within the call.
 */
export function openDatagramSocket(host: string, { reusePort = false }: DatagramSocketOptions = {}): Socket {
  const isIpv6 = host.includes(':');
  return createSocket({
    type: isIpv6 ? 'udp6' : 'udp4',
    ipv6Only: isIpv6,
    reusePort,
    lookup: (address, _options, callback) => callback(null, address, isIpv6 ? 6 : 4),
  });
}

/** Node tells it by an event only, or by an error of a question that an unbound socket has no answer to. */
export function isBound(socket: Socket): boolean {
  try {
    socket.address();
    return true;
  } catch {
    return false;
  }
}

export function hasLongQueue(socket: Socket): boolean {
  return socket.getSendQueueSize() > LONGEST_QUEUE;
}
