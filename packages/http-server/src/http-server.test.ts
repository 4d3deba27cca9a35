import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setInterval } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openServer } from './testing/open-server.ts';
import type { TestServer } from './testing/open-server.ts';
import { makeTls } from './testing/make-tls.ts';

const get = 'GET / HTTP/1.1\r\nHost: x\r\n';
const put = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n';
const tooSlow = /^HTTP\/1.1 408 [^]*{"error_msg":"the request took too long"}\n$/;

async function expectAlive(server: TestServer): Promise<void> {
  const socket = await server.dial(`${get}Connection: close\r\n\r\n`);
  expect(await text(socket)).toContain('200 OK');
}

/** Sends the same bytes again and again until the connection closes. @returns what came back. */
async function drip(socket: Socket, bytes: string): Promise<string> {
  const received = receive(socket);
  for await (const _ of setInterval(5)) {
    if (!socket.writable || socket.readableEnded) break;
    socket.write(bytes);
  }
  return received;
}

/** What comes until the end, or until a reset, which is as good as an end here. */
async function receive(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.once('end', resolve).on('error', () => resolve());
  await promise;
  return received;
}

describe('a client that is slow', () => {
  test.for([
    ['sends its headers byte by byte', `${get}X: `, 'a'],
    ['sends its body byte by byte', `${put}Content-Length: 100000\r\n\r\n`, 'a'],
    ['sends its body in chunks without end', `${put}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
  ] as const)('and %s is let go when its time is over', async ([_claim, start, byte]) => {
    const server = await openServer({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 });

    expect(await drip(await server.dial(start), byte)).toMatch(tooSlow);
    await expectAlive(server);
  });

  test('and says nothing, or half a request and then the end, is let go', async () => {
    const server = await openServer({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 });
    const [silent, ended] = [await server.dial(), await server.dial(`${put}Content-Length: 10\r\n\r\nabc`)];
    ended.end();

    expect(await text(silent)).toMatch(tooSlow);
    expect(await text(ended)).toMatch(/^HTTP\/1.1 400 /);
  });

  test('and rests too long between requests is let go', async () => {
    const server = await openServer({ keepAliveTimeoutMs: 50 });

    expect(await text(await server.dial(`${get}\r\n`))).toContain('200 OK');
  });

  test('in its TLS handshake is let go without an answer', async () => {
    const tls = await makeTls();
    const server = await openServer({ tls, headersTimeoutMs: 100 });
    const silent = await server.dial();

    // The start of a ClientHello of 256 bytes.
    const hello = await server.dial(Buffer.from('1603010100010000fc0303', 'hex').toString('latin1'));

    expect(await Promise.all([receive(silent), drip(hello, 'a')])).toEqual([
      '',
      expect.not.stringContaining('HTTP'),
    ]);
  });
});

describe('connections', () => {
  test('above the limit are closed at once, and told of', async () => {
    const dropped = Promise.withResolvers<void>();
    const server = await openServer({ maxConnections: 1, onDropped: dropped.resolve });
    const first = await server.dial();

    const second = await server.dial();
    await Promise.all([receive(second), dropped.promise]);

    first.write(`${get}Connection: close\r\n\r\n`);
    expect(await text(first)).toContain('200 OK');
  });

  test('of clients that may not come leave room for the others', async () => {
    const strangers = new Set(['127.0.0.1']);
    const server = await openServer({
      maxConnections: 3,
      maxStrangers: 1,
      isWelcome: (address) => !strangers.has(address),
    });
    const first = await server.dial();

    const second = await server.dial();
    expect(await receive(second)).toBe('');
    strangers.clear();

    await expectAlive(server);
    first.write(`${get}Connection: close\r\n\r\n`);
    expect(await text(first)).toContain('200 OK');
  });

  test('that are still in their TLS handshake do not hold up closing', async () => {
    const server = await openServer({ tls: await makeTls(), closeGraceMs: 50 });
    const socket = await server.dial();

    await Promise.all([server.close(), receive(socket)]);
  });
});

describe('what is no request', () => {
  test('is told of, with the status of its answer', async () => {
    const told = Promise.withResolvers<unknown>();
    const server = await openServer({ onBroken: told.resolve });

    const answer = await text(await server.dial('junk\r\n\r\n'));

    expect(answer).toMatch(/^HTTP\/1.1 400 [^]*{"error_msg":"malformed request"}\n$/);
    expect(await told.promise).toMatchObject({ status: 400, bytes: 34 });
  });

  test('and goes on after its answer does not lose the answer', async () => {
    const server = await openServer();

    const answer = await drip(await server.dial(`${get}X: ${'a'.repeat(20_000)}`), 'a'.repeat(10_000));

    expect(answer).toMatch(/^HTTP\/1.1 431 [^]*{"error_msg":"request header too large"}\n$/);
  });

  test('waits for the answers before it, and stands in its order', async () => {
    const slow = Promise.withResolvers<object>();
    const server = await openServer({}, (app) => void app.get('/slow', () => slow.promise));
    const socket = await server.dial(`${get.replace('/', '/slow')}\r\njunk\r\n\r\n`);
    const answered = text(socket);
    await expectAlive(server);

    slow.resolve({ first: true });

    expect(await answered).toMatch(/^HTTP\/1.1 200 [^]*{"first":true}HTTP\/1.1 400 /);
  });

  test.for([
    ['a shorter length than there are bytes', `${put}Content-Length: 1\r\n\r\nab\r\n\r\n`],
    ['two lengths', `${put}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a length and chunks', `${put}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a blank before the colon', `${get}Transfer-Encoding : chunked\r\n\r\n`],
    ['a folded header', `${get}X: a\r\n\tb: c\r\nY\r\n\r\n`],
    ['a chunk size that is none', `${put}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
  ] as const)('%s: the connection ends with 400', async ([_claim, bytes]) => {
    const server = await openServer();

    const answer = await text(await server.dial(bytes));

    expect(answer.match(/HTTP\/1.1 \d+/g)?.at(-1)).toBe('HTTP/1.1 400');
    await expectAlive(server);
  });
});

describe('a server that is drained', () => {
  test('answers one more request on each connection, and ends it then', async () => {
    const server = await openServer();
    const idle = await server.dial(`${get}\r\n`);
    await once(idle, 'data');

    const drained = server.drain();
    const answer = text(idle);
    idle.write(`${get}\r\n`);

    expect(await answer).toMatch(/^HTTP\/1.1 200 OK[^]*\r\nconnection: close\r\n/i);
    await drained;
    await expect(server.dial(`${get}\r\n`)).rejects.toThrow('ECONNREFUSED');
  });

  test('does not wait longer than its grace time', async () => {
    const server = await openServer({ closeGraceMs: 50 });
    const idle = await server.dial(`${get}\r\n`);
    await once(idle, 'data');

    await server.drain();

    expect(await text(idle)).toBe('');
  });
});
