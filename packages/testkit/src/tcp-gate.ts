import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** A loopback port before another one, whose connections can be broken in the ways a network breaks them. */
export interface TcpGate {
  readonly port: number;
  /** Resets the connections that are open; new ones succeed. */
  cut(): void;
  /** Lets the connections that are open carry nothing any more, without an end or a reset; new ones succeed. */
  silence(): void;
  /** Resets every connection, those to come too, until the returned function is called. */
  shut(): () => void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** @param target a port on loopback, or the path of a unix socket. */
export async function openTcpGate(target: number | string): Promise<TcpGate> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isShut = false;
  const server = createServer((downstream) => {
    if (isShut) {
      downstream.resetAndDestroy();
      return;
    }
    const upstream = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
    const pair = [downstream, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, downstream] as const]) {
      from.pipe(to);
      // However one side ends, `close` follows and takes the other side along.
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  const port = await listenOnLoopback(server);

  const cut = (): void => {
    for (const [downstream, upstream] of pairs) {
      downstream.resetAndDestroy();
      // A unix socket knows no reset.
      if (typeof target === 'number') upstream.resetAndDestroy();
      else upstream.destroy();
    }
  };
  return {
    port,
    cut,
    silence() {
      for (const pair of pairs) for (const socket of pair) socket.unpipe().pause();
    },
    shut() {
      isShut = true;
      cut();
      return () => (isShut = false);
    },
    async close() {
      if (!server.listening) return;
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
