import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { freePort } from '../free-port.ts';
import { listenOnLoopback } from '../listen-on-loopback.ts';
import type { MemberNetwork } from './member-network.ts';

/** One connection between two members. */
interface Link {
  readonly near: Socket;
  readonly far: Socket;
  /** The index of the member that it leads to. */
  readonly to: number;
  /** The member that made it, in hex, once it has said so. */
  from: string | undefined;
  /** It waits for its first bytes, carries all, or holds what comes. */
  state: 'new' | 'open' | 'held';
}

/**
 * A proxy on loopback before each member. Every connection between members begins with an HTTP request that names who
 * makes it (`X-Server-From`), so the proxies know both ends, and isolating a member silences all that have it on one
 * end.
 */
export async function openProxyNetwork(size: number): Promise<MemberNetwork> {
  const links = new Set<Link>();
  const servers: Server[] = [];
  let isolated: { readonly index: number; readonly id: string } | undefined;

  const isCut = (link: Link): boolean =>
    isolated !== undefined && (link.to === isolated.index || link.from === isolated.id);
  /** Lets a connection carry its bytes, or hold them. */
  function settle(link: Link): void {
    const { near, far } = link;
    const wanted = isCut(link) ? 'held' : 'open';
    if (link.state === wanted) return;
    link.state = wanted;
    if (wanted === 'held') {
      for (const socket of [near, far]) socket.unpipe().pause();
    } else {
      near.pipe(far);
      far.pipe(near);
    }
  }

  function settleAll(): void {
    for (const link of links) if (link.state !== 'new') settle(link);
  }

  async function openProxy(to: number, port: number): Promise<number> {
    const server = createServer((near) => {
      const link: Link = { near, far: connect(port, '127.0.0.1'), to, from: undefined, state: 'new' };
      links.add(link);
      for (const [socket, other] of [
        [near, link.far],
        [link.far, near],
      ] as const) {
        socket.setNoDelay(true);
        // However one side ends, `close` follows and takes the other side along.
        socket.on('error', () => undefined);
        socket.on('close', () => {
          other.destroy();
          links.delete(link);
        });
      }
      near.once('data', (head: Buffer) => {
        near.pause();
        near.unshift(head);
        link.from = /^x-server-from: *([0-9a-f]+)/im.exec(head.toString('latin1'))?.[1];
        settle(link);
      });
    });
    servers.push(server);
    return listenOnLoopback(server);
  }

  const ports = await Promise.all(Array.from({ length: size }, () => freePort()));
  const proxies = await Promise.all(ports.map((port, index) => openProxy(index, port)));
  return {
    kind: 'proxies',
    places: ports.map((port, index) => ({
      listenUrl: `http://127.0.0.1:${port}`,
      peerUrl: `http://127.0.0.1:${proxies[index]}`,
      runner: [],
    })),
    async isolate(index, id) {
      isolated = { index, id };
      settleAll();
    },
    async heal() {
      isolated = undefined;
      settleAll();
    },
    async close() {
      for (const { near, far } of links) for (const socket of [near, far]) socket.destroy();
      for (const server of servers) {
        if (!server.listening) continue;
        server.close();
        await once(server, 'close');
      }
    },
  };
}
