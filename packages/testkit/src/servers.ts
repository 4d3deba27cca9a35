import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { Peer } from './peer.ts';

export interface TestServer {
  readonly host: string;
  readonly port: number;
  /** Resolves with the next connection that nobody took yet. */
  accept(): Promise<Peer>;
  /** Stops listening and resets what is still open. */
  close(): Promise<void>;
}

/** A server that does what the test makes its peers do. */
export function openServer(host = '127.0.0.1'): Promise<TestServer> {
  const waitingPeers: Peer[] = [];
  const waitingTests: ((peer: Peer) => void)[] = [];
  const accept = (): Promise<Peer> =>
    new Promise((resolve) => {
      const peer = waitingPeers.shift();
      if (peer === undefined) waitingTests.push(resolve);
      else resolve(peer);
    });
  return listen(host, accept, (socket) => {
    const peer = new Peer(socket);
    const next = waitingTests.shift();
    if (next === undefined) waitingPeers.push(peer);
    else next(peer);
  });
}

/** Sends back what comes, and its end. */
export function openEcho(host = '127.0.0.1'): Promise<TestServer> {
  return listen(host, refuseAccept, (socket) => {
    socket.pipe(socket);
  });
}

/** Reads everything, answers nothing, and ends when the other side does. */
export function openSink(host = '127.0.0.1'): Promise<TestServer> {
  return listen(host, refuseAccept, (socket) => {
    socket.resume();
    socket.on('end', () => socket.end());
  });
}

/** Sends `bytes` to everyone who connects, as fast as they are taken, then ends. */
export function openSource(bytes: Uint8Array, host = '127.0.0.1'): Promise<TestServer> {
  return listen(host, refuseAccept, (socket) => {
    socket.resume();
    socket.end(bytes);
  });
}

function refuseAccept(): Promise<Peer> {
  return Promise.reject(new TypeError('this server handles its connections itself'));
}

async function listen(
  host: string,
  accept: () => Promise<Peer>,
  onSocket: (socket: Socket) => void,
): Promise<TestServer> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // The other end may break at any time: that is what it is there for.
    socket.on('error', () => {});
    onSocket(socket);
  });
  const port = await listenOnLoopback(server, host);
  return {
    host,
    port,
    accept,
    close() {
      for (const socket of open) socket.resetAndDestroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
