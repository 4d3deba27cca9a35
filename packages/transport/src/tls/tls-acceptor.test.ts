import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { connectPeer, countDescriptors, makeCertificate, openToxicProxy } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { captureHello, handshake, refusal } from '../testing/tls-client.ts';
import { openTestGate } from '../testing/tls-gate.ts';
import type { TlsAccept } from './tls-acceptor.ts';

const ca = await makeCertificate({ names: ['The authority'], use: 'ca' });
const [ec, rsa, wild] = await Promise.all([
  makeCertificate({ names: ['a.test'], ca }),
  makeCertificate({ names: ['a.test'], ca, algorithm: 'rsa' }),
  makeCertificate({ names: ['*.a.test'], ca }),
]);
const specA = { serverNames: ['a.test'], pairs: [ec] };
const specs = { 1: specA, 2: { serverNames: ['*.a.test'], pairs: [wild] } };

describe('choosing the certificate', () => {
  test.for<readonly [string, string]>([
    ['a.test', 'a.test'],
    ['A.test', 'a.test'],
    ['b.a.test', '*.a.test'],
  ])('%s is served the one of %s', async ([servername, subject]) => {
    const gate = await openTestGate(specs);

    const client = await handshake(gate.port, { servername });
    const { wire } = await gate.next();

    expect(client.getPeerCertificate().subject.CN).toBe(subject);
    expect(wire?.facts).toEqual({
      serverName: servername.toLowerCase(),
      alpn: undefined,
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      isPeerVerified: false,
      isResumed: false,
    });
  });

  test.for(['TLSv1.2', 'TLSv1.3'] as const)(
    'a name unknown is answered with the alert for it, in %s',
    async (version) => {
      const gate = await openTestGate(specs);

      const refused = await refusal(gate.port, { servername: 'c.b.a.test', maxVersion: version });
      const { error } = await gate.next();

      expect(refused).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
      expect(error).toMatchObject({ code: 'TLS_NAME_UNKNOWN', detail: { serverName: 'c.b.a.test' } });
      expect(error?.message).toContain('found c.b.a.test');
      expect(gate.wheel.size).toBe(0);
    },
  );

  test('no name is refused in the same way', async () => {
    const gate = await openTestGate(specs);

    expect(await refusal(gate.port, {})).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    expect((await gate.next()).error?.code).toBe('TLS_NAME_UNKNOWN');
  });

  test('no name takes the fallback, and an unknown one does not', async () => {
    const gate = await openTestGate(specs, { fallbackServerName: 'A.test.' });

    const client = await handshake(gate.port, {});
    expect(client.getPeerCertificate().subject.CN).toBe('a.test');
    expect((await gate.next()).wire?.facts.serverName).toBe('a.test');
    expect(await refusal(gate.port, { servername: 'other.test' })).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  });

  test.for<readonly [string, string]>([
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'prime256v1'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'rsa'],
  ])('of two key types the client that offers %s gets its own', async ([ciphers, kind]) => {
    const gate = await openTestGate({ 1: { serverNames: ['a.test'], pairs: [rsa, ec] } });

    const client = await handshake(gate.port, { servername: 'a.test', ciphers, maxVersion: 'TLSv1.2' });

    const certificate = client.getPeerCertificate();
    expect(certificate.asn1Curve ?? 'rsa').toBe(kind);
    expect((await gate.next()).wire?.facts).toMatchObject({ protocol: 'TLSv1.2', cipher: ciphers });
  });

  test('PEM that is none fails its own handshakes, with the id and the reason', async () => {
    const gate = await openTestGate({
      ...specs,
      7: { serverNames: ['bad.test'], pairs: [{ ...ec, key: 'x' }] },
    });

    expect(await refusal(gate.port, { servername: 'bad.test' })).toBe('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
    const { error } = await gate.next();
    expect(error).toMatchObject({ code: 'TLS_CERTIFICATE_INVALID', detail: { id: '7' } });
    expect(error?.message).toMatch(/in ssl 7, OpenSSL answered: .+/);
    await handshake(gate.port, { servername: 'a.test' });
  });

  test('a key of another certificate is found out', async () => {
    const gate = await openTestGate({ 7: { serverNames: ['bad.test'], pairs: [{ ...ec, key: wild.key }] } });

    expect(await refusal(gate.port, { servername: 'bad.test' })).toBe('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
    expect((await gate.next()).error?.detail['reason']).toMatch(/key values mismatch/);
  });

  test('a certificate changed under 200 handshakes at once fails none of them, and no session', async () => {
    const gate = await openTestGate(specs);
    const early = await handshake(gate.port, { servername: 'a.test' });
    const { wire } = await gate.next();
    const swapped = await makeCertificate({ names: ['swapped.test'], ca });

    const clients = Array.from({ length: 200 }, () => handshake(gate.port, { servername: 'a.test' }));
    for (let turn = 0; turn < 20; turn += 1) {
      gate.store.set('1', { serverNames: ['a.test'], pairs: [turn % 2 === 0 ? swapped : ec] });
      await gate.next();
    }
    gate.store.set('1', { serverNames: ['a.test'], pairs: [swapped] });
    const served = (await Promise.all(clients)).map((client) => client.getPeerCertificate().subject.CN);

    expect(new Set(served)).toEqual(new Set(['a.test', 'swapped.test']));
    const late = await handshake(gate.port, { servername: 'a.test' });
    expect(late.getPeerCertificate().subject.CN).toBe('swapped.test');
    wire?.write(Buffer.from('still here'));
    expect(String((await once(early, 'data'))[0])).toBe('still here');
  });
});

describe('versions, ciphers and application protocols', () => {
  test('a certificate may allow fewer versions than its listener', async () => {
    const gate = await openTestGate({
      ...specs,
      3: { ...specA, serverNames: ['old.test'], versions: ['TLSv1.2'] },
    });

    const client = await handshake(gate.port, { servername: 'old.test' });
    expect(client.getProtocol()).toBe('TLSv1.2');
    expect(await refusal(gate.port, { servername: 'old.test', minVersion: 'TLSv1.3' })).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
    const strict = await openTestGate(specs, { versions: ['TLSv1.3'] });
    expect(await refusal(strict.port, { servername: 'a.test', maxVersion: 'TLSv1.2' })).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
    expect((await strict.next()).error).toMatchObject({
      code: 'TLS_HANDSHAKE_FAILED',
      detail: { reason: 'ERR_SSL_UNSUPPORTED_PROTOCOL', serverName: 'a.test' },
    });
  });

  test('a listener may allow its own ciphers', async () => {
    const gate = await openTestGate(specs, {
      ciphers: 'TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
    });

    await handshake(gate.port, { servername: 'a.test' });
    expect((await gate.next()).wire?.facts.cipher).toBe('TLS_CHACHA20_POLY1305_SHA256');
    const none = { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
    expect(await refusal(gate.port, none)).toBe('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE');
  });

  test('agrees on the application protocol that is chosen, if any', async () => {
    const asked: unknown[] = [];
    const gate = await openTestGate(specs, {
      onClientHello({ alpn }, serverName) {
        asked.push([serverName, alpn]);
        return alpn.find((protocol) => protocol === 'mqtt');
      },
    });

    const client = await handshake(gate.port, { servername: 'A.test', ALPNProtocols: ['x', 'mqtt'] });
    expect([client.alpnProtocol, (await gate.next()).wire?.facts.alpn]).toEqual(['mqtt', 'mqtt']);
    // Not refused: a client that gets no answer may still go on.
    const other = await handshake(gate.port, { servername: 'a.test', ALPNProtocols: ['x'] });
    expect([other.alpnProtocol, (await gate.next()).wire?.facts.alpn]).toEqual([false, undefined]);
    expect(asked).toEqual([
      ['a.test', ['x', 'mqtt']],
      ['a.test', ['x']],
    ]);
  });
});

describe('connections that come to nothing', () => {
  test('a handshake that takes too long is given up', async () => {
    const gate = await openTestGate(specs);
    const peer = await connectPeer(gate.port);
    await peer.send(Buffer.from([22, 3, 1, 2, 0, 1]));
    const rest = peer.rest();
    while (gate.wheel.size === 0) await new Promise(setImmediate);

    gate.clock.advance(59_000);
    expect(gate.wheel.size).toBe(1);
    gate.clock.advance(1500);

    expect((await gate.next()).error).toMatchObject({
      code: 'TLS_HANDSHAKE_TIMEOUT',
      message: 'expected a handshake to end within 60000 ms',
    });
    expect((await rest).bytes).toBe(0);
  });

  test('so is one whose client goes silent after its ClientHello', async () => {
    const gate = await openTestGate(specs, { handshakeTimeoutMs: 2000 });
    const hello = await captureHello({ servername: 'a.test' });
    const peer = await connectPeer(gate.port);
    await peer.send(hello);
    await peer.take(100);

    gate.clock.advance(2500);

    expect((await gate.next()).error?.code).toBe('TLS_HANDSHAKE_TIMEOUT');
    await peer.rest();
  });

  test.for<readonly [string, string | Uint8Array, string, number]>([
    ['plain bytes', 'GET / HTTP/1.1\r\n\r\n', 'NOT_TLS', 0],
    ['a record that is no ClientHello', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), 'MALFORMED', 7],
    ['a ClientHello that is none', Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 9, 9]), 'MALFORMED', 7],
  ])('%s get no handshake', async ([, bytes, reason, answerBytes]) => {
    const gate = await openTestGate(specs);
    const peer = await connectPeer(gate.port);

    await peer.send(bytes);

    expect((await gate.next()).error).toMatchObject({ code: 'TLS_HANDSHAKE_FAILED', detail: { reason } });
    expect(await peer.rest()).toMatchObject({ bytes: answerBytes, ending: 'end' });
  });

  test('junk after a good ClientHello fails it', async () => {
    const gate = await openTestGate(specs);
    const peer = await connectPeer(gate.port);
    const hello = await captureHello({ servername: 'a.test' });

    await peer.send(Buffer.concat([hello, Buffer.from('junk, and more of it')]));

    expect((await gate.next()).error?.code).toBe('TLS_HANDSHAKE_FAILED');
    await peer.rest();
  });

  test.for<readonly [string, number]>([
    ['before its first byte', 0],
    ['in the middle of its ClientHello', 40],
    ['after its ClientHello', Infinity],
  ])('a client that ends or resets %s leaves nothing behind', async ([, bytes]) => {
    const gate = await openTestGate(specs);
    const hello = (await captureHello({ servername: 'a.test' })).subarray(0, bytes);
    await new Promise(setImmediate);
    const before = countDescriptors();

    for (const end of ['end', 'reset'] as const) {
      const peer = await connectPeer(gate.port);
      await peer.send(hello);
      peer[end]();
      expect((await gate.next()).error).toMatchObject({
        code: 'TLS_HANDSHAKE_FAILED',
        detail: { reason: end === 'end' ? expect.stringMatching(/EOF|ECONNRESET/) : 'ECONNRESET' },
      });
      await peer.rest();
    }

    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(gate.wheel.size).toBe(0);
    expect(countDescriptors()).toBe(before);
  });

  test('cancelled ones tell nothing', async () => {
    const attempts: TlsAccept[] = [];
    const gate = await openTestGate(specs, { onAccept: (attempt) => attempts.push(attempt) });
    const peer = await connectPeer(gate.port);
    await peer.send((await captureHello({ servername: 'a.test' })).subarray(0, 50));
    while (attempts.length === 0) await new Promise(setImmediate);

    attempts[0]?.cancel();
    attempts[0]?.cancel();

    await peer.rest();
    const client = await handshake(gate.port, { servername: 'a.test' });
    expect((await gate.next()).wire?.remotePort).toBe(client.localPort);
    expect(gate.wheel.size).toBe(0);
  });
});

describe('the wire', () => {
  test.for([1, 5, 50, 100_000])(
    'takes up a ClientHello of which %i bytes were read before',
    async (bytes) => {
      const gate = await openTestGate(specs, { isHeadRead: true });
      const toxic = { kind: 'slice', bytes } as const;
      const proxy = await openToxicProxy({ target: gate.port, toxic, direction: 'toTarget' });
      onTestFinished(() => proxy.close());

      const client = await handshake(proxy.port, { servername: 'a.test' });

      const { wire } = await gate.next();
      wire?.write(Buffer.from('hello'));
      expect(String((await once(client, 'data'))[0])).toBe('hello');
    },
  );

  test.for([
    ['TLSv1.2', 'close'],
    ['TLSv1.2', 'reset'],
    ['TLSv1.3', 'close'],
    ['TLSv1.3', 'reset'],
  ] as const)('of %s takes a %s the moment it is there', async ([maxVersion, action]) => {
    const closed: Promise<unknown>[] = [];
    const gate = await openTestGate(specs, {
      onWire(wire) {
        const { promise, resolve } = Promise.withResolvers<unknown>();
        closed.push(promise);
        wire.handler = { onData() {}, onEnd() {}, onWritten() {}, onClosed: resolve };
        wire[action]();
      },
    });

    const endings = Array.from({ length: 20 }, () =>
      refusal(gate.port, { servername: 'a.test', maxVersion }),
    );

    for (const ending of await Promise.all(endings)) expect(ending).toMatch(/^(?:end|ECONNRESET)$/);
    expect(await Promise.all(closed)).toEqual(Array.from({ length: 20 }, () => undefined));
  });

  // Node tells the two apart nowhere; nginx takes them for the same, too.
  test('tells FIN without close_notify as an end', async () => {
    const gate = await openTestGate(specs);
    const carrier = connectTcp({ port: gate.port, host: '127.0.0.1', allowHalfOpen: true });
    const client = connect({ socket: carrier, servername: 'a.test', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const { wire } = await gate.next();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    if (wire !== undefined) wire.handler = { onData() {}, onEnd: resolve, onWritten() {}, onClosed() {} };

    carrier.end();
    wire?.resume();

    await ended;
    wire?.close();
  });
});
