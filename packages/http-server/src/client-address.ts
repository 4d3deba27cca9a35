import type { Socket } from 'node:net';

/** The connection's other end, without a zone; an IPv4 client of an IPv6 listener is shown as IPv4. */
export function clientAddress({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
