import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import { TimerWheel } from '@apisix-ts/core';
import { GatewayError } from '@apisix-ts/errors';
import { countDescriptors, FakeClock, makeCertificate, openServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compileUpstreamTls, dialTls } from './dial-tls.ts';
import type { TlsDialOptions, UpstreamTlsOptions } from './dial-tls.ts';
import type { TlsWire } from './tls-wire.ts';

const ca = await makeCertificate({ names: ['The authority'], use: 'ca' });
const [pair, byAddress, clientPair] = await Promise.all([
  makeCertificate({ names: ['db.test'], ca }),
  makeCertificate({ names: ['127.0.0.1'], ca }),
  makeCertificate({ names: ['gateway'], use: 'client', ca }),
]);
const clock = new FakeClock();
const wheel = new TimerWheel(clock);

describe('dialing with TLS', () => {
  test('asks for the name it is told, and does not look at the certificate', async () => {
    const upstream = await openTls(pair);

    const wire = await dial(upstream.port, { serverName: 'apisix_backend' });

    expect((await upstream.accept()).servername).toBe('apisix_backend');
    expect(wire.facts).toMatchObject({
      protocol: 'TLSv1.3',
      isPeerVerified: false,
      serverName: 'apisix_backend',
    });
    expect([wire.remoteAddress, wire.remotePort]).toEqual(['127.0.0.1', upstream.port]);
  });

  test.for([undefined, '127.0.0.1'])('asks for no name if it is %s', async (serverName) => {
    const upstream = await openTls(pair);

    await dial(upstream.port, serverName === undefined ? {} : { serverName });

    expect((await upstream.accept()).servername).toBe(false);
  });

  test.for<readonly [string, UpstreamTlsOptions, Partial<TlsDialOptions>]>([
    ['the name it asks for', { verify: { ca: ca.cert } }, { serverName: 'db.test' }],
    ['another name', { verify: { ca: ca.cert, name: 'db.test' } }, { serverName: 'apisix_backend' }],
  ])('verifies the certificate for %s', async ([, tls, options]) => {
    const upstream = await openTls(pair);

    const wire = await dial(upstream.port, options, tls);

    expect(wire.facts.isPeerVerified).toBe(true);
  });

  test('verifies the certificate for the address if there is no name', async () => {
    const upstream = await openTls(byAddress);

    expect((await dial(upstream.port, {}, { verify: { ca: ca.cert } })).facts.isPeerVerified).toBe(true);
  });

  test.for<readonly [string, UpstreamTlsOptions, string]>([
    ['another name', { verify: { ca: ca.cert } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an authority not trusted', { verify: { name: 'db.test' } }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('refuses a certificate of %s, and leaves nothing behind', async ([, tls, reason]) => {
    const upstream = await openTls(pair);
    const before = await settledDescriptors();

    const error = await failure(dial(upstream.port, { serverName: 'other.test' }, tls));

    expect(error).toMatchObject({
      code: 'UPSTREAM_CERTIFICATE_INVALID',
      detail: { reason, port: upstream.port },
    });
    expect(error.message).toMatch(
      /^expected a certificate for (?:other|db)\.test from 127\.0\.0\.1:\d+, found /,
    );
    await upstream.idle();
    expect(wheel.size).toBe(0);
    expect(await settledDescriptors()).toBe(before);
  });

  test.for(['TLSv1.2', 'TLSv1.3'] as const)(
    'shows its certificate to a server that asks, in %s',
    async (maxVersion) => {
      const upstream = await openTls(pair, { ca: ca.cert, requestCert: true, maxVersion });

      const wire = await dial(upstream.port, {}, { clientPair });

      const peer = await upstream.accept();
      expect(peer.authorized).toBe(true);
      wire.write(Buffer.from('hello'));
      expect(String((await once(peer, 'data'))[0])).toBe('hello');
    },
  );

  test('a server of TLS 1.2 that wants a certificate and gets none fails the dial', async () => {
    const upstream = await openTls(pair, { ca: ca.cert, requestCert: true, maxVersion: 'TLSv1.2' });

    expect(await failure(dial(upstream.port, {}))).toMatchObject({
      code: 'UPSTREAM_TLS_HANDSHAKE_FAILED',
      detail: { reason: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' },
    });
  });

  test('a server of TLS 1.3 that wants one breaks the wire with its reason', async () => {
    const upstream = await openTls(pair, { ca: ca.cert, requestCert: true });
    const wire = await dial(upstream.port, {});
    const { promise: closed, resolve } = Promise.withResolvers<unknown>();
    wire.handler = { onData() {}, onEnd() {}, onWritten() {}, onClosed: resolve };

    wire.resume();

    expect(await closed).toEqual({ kind: 'failed', errno: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  });

  test('sends what comes before the handshake first', async () => {
    const server = await openServer();
    onTestFinished(() => server.close());
    const attempt = dialTls(
      wheel,
      { ...target(server.port), tls: compileUpstreamTls({}), preface: Buffer.from('PROXY UNKNOWN\r\n') },
      { onWire() {}, onFailure() {} },
    );

    const peer = await server.accept();

    expect((await peer.take(15)).toString()).toBe('PROXY UNKNOWN\r\n');
    expect((await peer.take(2)).toString('hex')).toBe('1603');
    attempt.cancel();
    expect((await peer.rest()).ending).toBe('end');
  });
});

describe('dialing what does not speak TLS', () => {
  test.for<readonly [string, (peer: Awaited<ReturnType<Opened['accept']>>) => void, RegExp]>([
    ['plain bytes', (peer) => void peer.send('5.5.5-10.4.0-MariaDB').catch(() => {}), /^ERR_SSL_/],
    ['an end', (peer) => peer.end(), /^ECONNRESET$/],
    ['a reset', (peer) => peer.reset(), /^ECONNRESET$/],
  ])('%s fails it', async ([, answer, reason]) => {
    const server = await openServer();
    onTestFinished(() => server.close());
    const failed = failure(dial(server.port, {}));

    const peer = await server.accept();
    await peer.take(2);
    answer(peer);

    expect(await failed).toMatchObject({
      code: 'UPSTREAM_TLS_HANDSHAKE_FAILED',
      detail: { reason: expect.stringMatching(reason) },
    });
    expect(wheel.size).toBe(0);
  });

  test('a port that nobody listens on is told as by the other dials', async () => {
    const server = await openServer();
    await server.close();

    expect(await failure(dial(server.port, {}))).toMatchObject({
      code: 'UPSTREAM_CONNECT_REFUSED',
      detail: { errno: 'ECONNREFUSED' },
    });
  });

  test('silence ends with the time-out of the connect, and leaves nothing behind', async () => {
    const server = await openServer();
    onTestFinished(() => server.close());
    const before = await settledDescriptors();
    const failed = failure(dial(server.port, { connectTimeoutMs: 3000 }));
    const peer = await server.accept();
    await peer.take(100);

    clock.advance(2900);
    expect(wheel.size).toBe(1);
    clock.advance(300);

    expect((await failed).code).toBe('UPSTREAM_CONNECT_TIMEOUT');
    await peer.rest();
    peer.destroy();
    await peer.closed;
    expect(wheel.size).toBe(0);
    expect(await settledDescriptors()).toBe(before);
  });

  test('200 dials cancelled at every moment leave no descriptor behind', async () => {
    const upstream = await openTls(pair);
    const tls = compileUpstreamTls({});
    const before = await settledDescriptors();
    const told: unknown[] = [];

    for (let index = 0; index < 200; index += 1) {
      const attempt = dialTls(
        wheel,
        { ...target(upstream.port), tls },
        {
          onWire(wire) {
            told.push(wire);
            wire.close();
          },
          onFailure: (error) => told.push(error),
        },
      );
      for (let turn = 0; turn < index % 12; turn += 1) await new Promise(setImmediate);
      const toldBefore = told.length;
      attempt.cancel();
      attempt.cancel();
      await new Promise(setImmediate);
      expect(told.length).toBe(toldBefore);
    }

    await upstream.idle();
    expect(wheel.size).toBe(0);
    expect(await settledDescriptors()).toBe(before);
  });
});

test.for<readonly [string, UpstreamTlsOptions]>([
  ['a key that is none', { clientPair: { ...clientPair, key: 'x' } }],
  ['a certificate that is none', { clientPair: { ...clientPair, cert: 'x' } }],
  ['a key of another certificate', { clientPair: { ...clientPair, key: pair.key } }],
])('%s is found out when it is compiled', ([, options]) => {
  expect(() => compileUpstreamTls(options)).toThrow(
    /^expected certificates and a key for TLS to an upstream, OpenSSL/,
  );
});

type Opened = Awaited<ReturnType<typeof openServer>>;

function target(port: number): { address: string; port: number; connectTimeoutMs: number } {
  return { address: '127.0.0.1', port, connectTimeoutMs: 5000 };
}

function dial(
  port: number,
  options: Partial<TlsDialOptions>,
  tls: UpstreamTlsOptions = {},
): Promise<TlsWire> {
  return new Promise((resolve, reject) => {
    dialTls(
      wheel,
      { ...target(port), tls: compileUpstreamTls(tls), ...options },
      {
        onWire(wire) {
          onTestFinished(() => wire.close());
          resolve(wire);
        },
        onFailure: reject,
      },
    );
  });
}

/** Their number after all that is closing has closed. */
async function settledDescriptors(): Promise<number> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  return countDescriptors();
}

async function failure(outcome: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await outcome.catch((reason: unknown) => reason);
  if (error instanceof GatewayError) return error;
  throw new Error('expected a failure');
}

/** A server of Node's own. */
async function openTls(
  pairOfServer: { cert: string; key: string },
  options: TlsOptions = {},
): Promise<{ port: number; accept(): Promise<TLSSocket>; idle(): Promise<void> }> {
  const server: Server = createServer({ ...pairOfServer, ...options });
  const accepted: TLSSocket[] = [];
  const waiting: ((socket: TLSSocket) => void)[] = [];
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    const take = waiting.shift();
    if (take === undefined) accepted.push(socket);
    else take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    port: address.port,
    accept: () =>
      new Promise((resolve) => {
        const socket = accepted.shift();
        if (socket === undefined) waiting.push(resolve);
        else resolve(socket);
      }),
    async idle() {
      const count = (): Promise<number> =>
        new Promise((resolve) => server.getConnections((_error, open) => resolve(open)));
      while ((await count()) > 0) {
        for (const socket of accepted.splice(0)) socket.destroy();
        await new Promise(setImmediate);
      }
    },
  };
}
