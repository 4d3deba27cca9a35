import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that the system gives to clients, and to listeners that ask for none: 32768 and more on Linux. */
const FIRST_PORT = 10_000;
const BLOCK_SIZE = 400;
const BLOCKS = 55;

/** The first port of the block that is this process's own. */
let block: Promise<number> | undefined;
let lastOffset = 0;

/**
 * A port that nothing has at any address, on TCP or UDP, and that no other process is told of while this one runs: what
 * the system calls free may be a client's port a moment later.
 */
export async function freePort(): Promise<number> {
  const first = await (block ??= takeBlock());
  for (let attempt = 1; attempt < BLOCK_SIZE; attempt++) {
    lastOffset = (lastOffset % (BLOCK_SIZE - 1)) + 1;
    const port = first + lastOffset;
    if ((await isUnheard(port)) && (await isFreeForDatagrams(port))) return port;
  }
  throw new Error(`no port from ${first} to ${first + BLOCK_SIZE - 1} is free`);
}

/** Who listens on the first port of a block has the block, until its process ends. */
async function takeBlock(): Promise<number> {
  const start = process.pid % BLOCKS;
  for (let attempt = 0; attempt < BLOCKS; attempt++) {
    const first = FIRST_PORT + ((start + attempt) % BLOCKS) * BLOCK_SIZE;
    const anchor = createServer().unref();
    if (await listens(anchor.listen({ port: first, host: '127.0.0.1', exclusive: true }))) return first;
  }
  throw new Error(`no block of ports from ${FIRST_PORT} on is free`);
}

/** Nobody listens on a TCP port, at any address. Asks without a connection, which whoever listens would have to serve. */
export async function isUnheard(port: number): Promise<boolean> {
  const server = createServer().listen({ port, exclusive: true });
  if (!(await listens(server))) return false;
  await once(server.close(), 'close');
  return true;
}

async function isFreeForDatagrams(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind({ port, exclusive: true });
  const isOpen = await listens(socket);
  await once(socket.close(), 'close');
  return isOpen;
}

async function listens(socket: NodeJS.EventEmitter): Promise<boolean> {
  try {
    await once(socket, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
