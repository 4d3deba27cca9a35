import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { splitBytes } from './split-bytes.ts';

/**
 * What a bad network or a bad peer does. All but `stopReading` concern the bytes on their way to the client of the proxy
 * (the direction away from `target`) or, with `direction: 'toTarget'`, those to the target.
 */
export type Toxic =
  /** Pieces of this size, each a write of its own. */
  | { readonly kind: 'slice'; readonly bytes: number }
  /** Lets so many bytes through, then nothing, and says nothing. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Lets so many bytes through, then sends RST both ways. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Lets so many bytes through, then sends FIN, and drops the rest. */
  | { readonly kind: 'halfClose'; readonly afterBytes: number }
  /** Reads so many bytes, then no more: its sender's window closes. */
  | { readonly kind: 'stopReading'; readonly afterBytes: number };

export interface ToxicProxyOptions {
  /** The port on loopback that it connects to. */
  readonly target: number;
  readonly toxic: Toxic;
  /** The direction the toxic is in; the other one is clean. */
  readonly direction: 'toTarget' | 'fromTarget';
}

export interface ToxicProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** A TCP proxy on loopback with a fault in one direction. It adds no latency of its own. */
export async function openToxicProxy({ target, toxic, direction }: ToxicProxyOptions): Promise<ToxicProxy> {
  const open = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => open.delete(socket));
    return socket;
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true });
    track(near);
    track(far);
    passReset(near, far);
    passReset(far, near);
    const [from, to] = direction === 'toTarget' ? [near, far] : [far, near];
    to.pipe(from);
    poison(toxic, from, to);
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    close() {
      for (const socket of open) socket.resetAndDestroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function passReset(from: Socket, to: Socket): void {
  from.on('error', () => to.resetAndDestroy());
}

function poison(toxic: Toxic, from: Socket, to: Socket): void {
  if (toxic.kind === 'slice') {
    slice(toxic.bytes, from, to);
    return;
  }
  let left = toxic.afterBytes;
  from.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0 && !to.write(part)) waitForDrain(from, to);
    if (left > 0) return;
    // Once: what comes now is dropped, or not read.
    from.removeAllListeners('data');
    if (toxic.kind === 'stopReading') from.pause();
    else from.on('data', () => {});
    if (toxic.kind === 'halfClose') to.end();
    if (toxic.kind === 'reset') {
      // After the bytes: RST overtakes what is still in this process.
      to.write('', () => {
        to.resetAndDestroy();
        from.resetAndDestroy();
      });
    }
  });
  from.on('end', () => {
    if (left > 0) to.end();
  });
}

/** One piece a turn of the event loop, so that the receiver reads each alone. */
function slice(bytes: number, from: Socket, to: Socket): void {
  void (async () => {
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      for (const piece of splitBytes(chunk, bytes)) {
        to.write(piece);
        await new Promise(setImmediate);
      }
    }
    to.end();
  })().catch(() => to.resetAndDestroy());
}

function waitForDrain(from: Socket, to: Socket): void {
  from.pause();
  to.once('drain', () => from.resume());
}
