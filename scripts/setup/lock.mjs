import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * Runs `work` while no other process of this clone runs its own. The lock is a listening socket, so the system
 * releases it however the holder ends: on Linux one without a file (abstract), elsewhere one in the temporary folder.
 */
export async function withLock(work) {
  const waiters = new Set();
  const server = await acquire((waiter) => waiters.add(waiter.on('error', () => {})));
  try {
    return await work();
  } finally {
    server.close();
    for (const waiter of waiters) waiter.destroy();
  }
}

async function acquire(onWaiter) {
  const name = `apisix-ts-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  const hasFile = process.platform !== 'linux';
  const address = hasFile ? join(tmpdir(), `${name}.sock`) : `\0${name}`;
  for (;;) {
    const server = createServer(onWaiter);
    server.listen(address);
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
    const wasHeld = await waitForHolder(address);
    if (!wasHeld && hasFile) unlinkSync(address);
  }
}

/** Resolves once the holder has let go, however it ended; to false when nobody held the socket. */
async function waitForHolder(address) {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
  } catch {
    return false; // Refused: the holder has just gone, or left its file behind.
  }
  console.error('Waiting for another start of this clone to finish its set-up …');
  socket.on('error', () => {}).resume();
  await new Promise((resolve) => socket.on('close', resolve));
  return true;
}
