import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { isGatewayError } from '@apisix-ts/errors';
import { Peer, makeCertificate, someBytes } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { createSocketDriver } from './socket/socket-driver.ts';
import { systemClock } from './system-clock.ts';
import { compileUpstreamTls, dialTls } from './tls/dial-tls.ts';

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unix-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

interface UnixServer {
  readonly address: string;
  readonly accepted: Promise<Peer>;
}

async function openUnixServer(): Promise<UnixServer> {
  const path = join(await openFolder(), 'server.sock');
  const server = createServer({ allowHalfOpen: true }).listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection').then(([socket]: Socket[]) => new Peer(socket as Socket));
  onTestFinished(() => void server.close());
  return { address: `unix:${path}`, accepted };
}

function dial(driver: WireDriver, address: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    driver.dial({ address, port: 0, connectTimeoutMs: 5000 }, { onWire: resolve, onFailure: reject });
  });
}

/** What comes over a wire until the peer's end; `onEnd` is called then. */
function readAll(wire: Wire): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    wire.handler = {
      onData: (view) => void chunks.push(Buffer.from(view)),
      onWritten() {},
      onEnd: () => resolve(Buffer.concat(chunks)),
      onClosed: (error) => reject(new Error(`closed: ${error?.errno}`)),
    };
    wire.resume();
  });
}

const wheel = new TimerWheel(systemClock);

describe.for(['handle', 'socket'] as const)('a unix socket dialed by the %s driver', (name) => {
  const driver = name === 'socket' ? createSocketDriver(wheel) : createHandleDriver(wheel);
  if (driver === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');

  test('takes bytes and ends both ways', async () => {
    const { address, accepted } = await openUnixServer();
    const wire = await dial(driver, address);
    const peer = await accepted;
    const bytes = someBytes(300_000);
    const received = readAll(wire);

    wire.write(Buffer.from('hello'));
    wire.end();
    expect((await peer.take(5)).toString()).toBe('hello');
    expect(await peer.rest()).toMatchObject({ bytes: 0, ending: 'end' });
    await peer.send(bytes);
    peer.end();

    expect((await received).equals(bytes)).toBe(true);
    wire.close();
    await peer.closed;
  });

  test('is closed by a reset, for there is none', async () => {
    const { address, accepted } = await openUnixServer();
    const wire = await dial(driver, address);
    const peer = await accepted;

    wire.reset();

    expect(await peer.rest()).toMatchObject({ bytes: 0, ending: 'end' });
    peer.destroy();
  });

  test.for([
    ['that is not there', 'absent.sock', 'UPSTREAM_CONNECT_FAILED', 'ENOENT'],
    ['that nobody listens on', 'stale.sock', 'UPSTREAM_CONNECT_REFUSED', 'ECONNREFUSED'],
  ] as const)('%s is named', async ([, file, code, errno]) => {
    const folder = await openFolder();
    // Node removes the file of a server that it closes; this one dies with its process, and the file stays.
    if (file === 'stale.sock') await leaveSocket(join(folder, file));
    const address = `unix:${join(folder, file)}`;

    const error: unknown = await dial(driver, address).catch((reason: unknown) => reason);

    expect(isGatewayError(error, code)).toBe(true);
    expect(error).toMatchObject({
      message: `expected to connect to ${address}, the system answered ${errno}`,
      detail: { address, errno },
    });
  });
});

test('a unix socket takes TLS', async () => {
  const { cert, key } = await makeCertificate({ names: ['localhost'] });
  const path = join(await openFolder(), 'tls.sock');
  const server = createTlsServer({ cert, key }, (socket) => {
    socket.pipe(socket);
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const wire = await new Promise<Wire>((resolve, reject) => {
    const target = { address: `unix:${path}`, port: 0, connectTimeoutMs: 5000 };
    const tls = compileUpstreamTls({ verify: { ca: cert, name: 'localhost' } });
    dialTls(wheel, { ...target, tls, serverName: 'localhost' }, { onWire: resolve, onFailure: reject });
  });
  const received = readAll(wire);

  wire.write(Buffer.from('hello'));
  wire.end();

  expect((await received).toString()).toBe('hello');
  wire.close();
});

async function leaveSocket(path: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code]), 'exit');
}
