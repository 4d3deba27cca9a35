import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { freePort, makeCertificate } from '@apisix-ts/testkit';
import type { TestCertificate } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { handshake, refusal } from '../testing/tls-client.ts';
import { openTestGate } from '../testing/tls-gate.ts';
import type { CertificateSpec } from './certificate-store.ts';

const root = await makeCertificate({ names: ['The root'], use: 'ca' });
const middle = await makeCertificate({ names: ['The middle'], use: 'ca', ca: root });
const lower = await makeCertificate({ names: ['The lower'], use: 'ca', ca: middle });
const stranger = await makeCertificate({ names: ['A stranger'], use: 'ca' });
const server = await makeCertificate({ names: ['a.test'] });
const byRoot = await makeCertificate({ names: ['client'], use: 'client', ca: root });
const byMiddle = chained(await makeCertificate({ names: ['client'], use: 'client', ca: middle }), middle);
const byLower = chained(
  await makeCertificate({ names: ['client'], use: 'client', ca: lower }),
  lower,
  middle,
);
const byStranger = await makeCertificate({ names: ['client'], use: 'client', ca: stranger });
const forServers = await makeCertificate({ names: ['client'], use: 'server', ca: root });

const open: CertificateSpec = { serverNames: ['open.test'], pairs: [server] };
/** Some releases of Node drop them, and then nobody with one in between is let in (client-chain.ts). */
const seesChains = await serverSeesChains();

describe.for(['TLSv1.2', 'TLSv1.3'] as const)('client certificates in %s', (maxVersion) => {
  test.for<readonly [string, TestCertificate, number]>([
    ['of the authority', byRoot, 0],
    ['with one between, where one may be', byMiddle, 1],
    ['with two between, where two may be', byLower, 2],
  ])('one %s is let in', async ([, pair, depth], { skip }) => {
    skip(depth > 0 && !seesChains, 'this Node drops what comes with a certificate');
    const gate = await openTestGate({ 1: demanding(depth) });

    await handshake(gate.port, { servername: 'a.test', maxVersion, ...pair });

    expect((await gate.next()).wire?.facts.isPeerVerified).toBe(true);
  });

  test.for<readonly [string, TestCertificate | undefined, RegExp]>([
    ['none', undefined, /^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/],
    ['one of another authority', byStranger, /^UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT.*)$/],
    [
      'one with one more between than may be',
      byLower,
      seesChains ? /^CERT_CHAIN_TOO_LONG$/ : /^CERT_CHAIN_UNSEEN$/,
    ],
    ['one for servers', forServers, /^INVALID_PURPOSE$/],
  ])('%s is refused', async ([, pair, reason]) => {
    const gate = await openTestGate({ 1: demanding(1) });

    const seen = await refusal(gate.port, { servername: 'a.test', maxVersion, ...pair });

    const { error } = await gate.next();
    expect(error).toMatchObject({
      code: 'TLS_CLIENT_CERTIFICATE_INVALID',
      detail: { serverName: 'a.test', reason: expect.stringMatching(reason) },
    });
    expect(error?.message).toContain('of ssl 1');
    const alert =
      maxVersion === 'TLSv1.3'
        ? 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
        : 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE';
    if (pair === undefined) expect(seen).toBe(alert);
  });

  test('nobody is asked for one by another name on the port', async () => {
    const gate = await openTestGate({ 1: demanding(1), 2: open });

    await handshake(gate.port, { servername: 'open.test', maxVersion, ...byStranger });

    expect((await gate.next()).wire?.facts.isPeerVerified).toBe(false);
  });

  test('a session does not stand for the certificate it began with', async () => {
    const gate = await openTestGate({ 1: demanding(1) });
    const session = await sessionOf(gate.port, { servername: 'a.test', maxVersion, ...byRoot });
    await gate.next();

    await handshake(gate.port, { servername: 'a.test', maxVersion, session, ...byRoot });
    expect((await gate.next()).wire?.facts).toMatchObject({ isResumed: false, isPeerVerified: true });
    await refusal(gate.port, { servername: 'a.test', maxVersion, session });
    expect((await gate.next()).error?.code).toBe('TLS_CLIENT_CERTIFICATE_INVALID');
  });

  test('a session of a name without a demand does not open one with it', async () => {
    const gate = await openTestGate({ 1: demanding(1), 2: open });
    const session = await sessionOf(gate.port, { servername: 'open.test', maxVersion });

    const refused = await refusal(gate.port, { servername: 'a.test', maxVersion, session });

    expect(refused).not.toBe('end');
    await gate.next();
    expect((await gate.next()).error?.code).toBe('TLS_CLIENT_CERTIFICATE_INVALID');
  });
});

test('an authority taken away refuses the next handshake, and leaves the session', async () => {
  const gate = await openTestGate({ 1: demanding(1) });
  const early = await handshake(gate.port, { servername: 'a.test', ...byRoot });
  const { wire } = await gate.next();

  gate.store.set('1', { ...demanding(1), client: { ca: stranger.cert, depth: 1 } });

  await refusal(gate.port, { servername: 'a.test', ...byRoot });
  expect((await gate.next()).error?.code).toBe('TLS_CLIENT_CERTIFICATE_INVALID');
  await handshake(gate.port, { servername: 'a.test', ...byStranger });
  expect((await gate.next()).wire?.facts.isPeerVerified).toBe(true);
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  early.once('data', (bytes: Buffer) => resolve(bytes.toString()));
  wire?.write(Buffer.from('still here'));
  expect(await heard).toBe('still here');
});

function demanding(depth: number): CertificateSpec {
  return { serverNames: ['a.test'], pairs: [server], client: { ca: root.cert, depth } };
}

function chained({ cert, key }: TestCertificate, ...above: readonly TestCertificate[]): TestCertificate {
  return { cert: cert + above.map((certificate) => certificate.cert).join(''), key };
}

async function sessionOf(port: number, options: ConnectionOptions): Promise<Buffer> {
  const client = await handshake(port, options);
  if (options.maxVersion === 'TLSv1.2') return client.getSession() ?? Buffer.alloc(0);
  return new Promise((resolve) => client.once('session', resolve));
}

async function serverSeesChains(): Promise<boolean> {
  const seen = Promise.withResolvers<boolean>();
  const probe = createServer({ ...server, ca: root.cert, requestCert: true }, (socket) => {
    seen.resolve(socket.getPeerCertificate(true).issuerCertificate !== undefined);
    socket.destroy();
  });
  const port = await freePort();
  await once(probe.listen(port, '127.0.0.1'), 'listening');
  const client = connect({ port, host: '127.0.0.1', ca: server.cert, servername: 'a.test', ...byMiddle });
  client.on('error', () => {}); // It is cut as soon as the server has seen it.
  const answer = await seen.promise;
  client.destroy();
  probe.close();
  return answer;
}
