import type { RouteDocument } from './write-routes.ts';

/** What the sessions of the benchmark look like to the router. */
export const matching = { server_addr: '127.0.0.1', remote_addr: '127.0.0.0/24' } as const;

/**
 * Routes that never serve a session on `port`, in five shapes by turns, all different: another port; the right port and
 * another server address; the right port and other clients; other clients on any port; all three, with one that holds.
 */
export function strangers(
  count: number,
  port: number,
  upstream: RouteDocument['upstream'],
): readonly RouteDocument[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `stranger-${index}`,
    ...conditions(index, port),
    upstream,
  }));
}

function conditions(index: number, port: number): Omit<RouteDocument, 'id' | 'upstream'> {
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  switch (index % 5) {
    case 0:
      return { server_port: port === 65_535 ? 1 : port + 1, remote_addr: address };
    case 1:
      return { server_port: port, server_addr: address };
    case 2:
      return { server_port: port, remote_addr: address };
    case 3:
      return { remote_addr: range(Math.floor(index / 60), 20 + (index % 12)) };
    default:
      return { server_port: port, server_addr: matching.server_addr, remote_addr: address };
  }
}

/** The nth block of 10.0.0.0/8 of this length. Blocks of many lengths: the index has a table for each. */
function range(n: number, length: number): string {
  const first = n * 2 ** (32 - length);
  return `10.${(first >>> 16) & 255}.${(first >>> 8) & 255}.${first & 255}/${length}`;
}
