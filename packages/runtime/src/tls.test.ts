import { once } from 'node:events';
import { connect as connectPlain, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { ConnectionOptions, PeerCertificate, TLSSocket, TlsOptions } from 'node:tls';
import { sealPrivateKeys, sslKind } from '@apisix-ts/config';
import { connectPeer, makeCertificate, openEcho, openServer, someBytes } from '@apisix-ts/testkit';
import type { TestCertificate, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { keyringOf } from './gateway-settings.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway, OpenGatewayOptions } from './testing/open-gateway.ts';

let plain: TestServer;
let ca: TestCertificate;
let forDb: TestCertificate;
let forOthers: TestCertificate;
let ofClient: TestCertificate;

beforeAll(async () => {
  plain = await openServer();
  ca = await makeCertificate({ names: ['test ca'], use: 'ca' });
  [forDb, forOthers, ofClient] = await Promise.all([
    makeCertificate({ names: ['db.test'], ca }),
    makeCertificate({ names: ['*.other.test'], ca }),
    makeCertificate({ names: ['client.test'], ca, use: 'client' }),
  ]);
});

afterAll(() => plain.close());

const upstream = (port: number, more: object = {}): object => ({
  nodes: { [`127.0.0.1:${port}`]: 1 },
  ...more,
});

/** A gateway with a TLS listener, a certificate for `db.test` and one for `*.other.test`. */
async function openTlsGateway(
  workers = 0,
  more: Pick<OpenGatewayOptions, 'accessLogFormat' | 'inherited'> = {},
): Promise<OpenGateway> {
  const opened = await openGateway({ workers, entry: { tls: true }, ...more });
  await opened.put('ssls/db', { sni: 'db.test', ...forDb });
  await opened.put('ssls/others', { snis: ['*.other.test'], ...forOthers });
  return opened;
}

function connect(port: number, options: ConnectionOptions): TLSSocket {
  const socket = connectTls({ host: '127.0.0.1', port, ca: ca.cert, ...options });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Settles when the server has proved who it is, by the names it proved. */
async function namesShown(port: number, servername: string): Promise<string | undefined> {
  const socket = connect(port, { servername });
  await once(socket, 'secureConnect');
  return socket.getPeerCertificate().subjectaltname;
}

/** The code of the error that ends a handshake. */
async function refusal(port: number, options: ConnectionOptions): Promise<unknown> {
  const socket = connect(port, options);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.on('error', (error) => resolve('code' in error ? error.code : error));
  socket.on('close', () => resolve('closed'));
  // With TLS 1.3 a client learns after its handshake that its certificate was refused.
  socket.resume();
  return promise;
}

/** A TLS server that tells each client what it was asked with. */
async function openTlsServer(options: TlsOptions): Promise<number> {
  const server = createTlsServer(options, (socket) => {
    const { CN: clientName } = (socket.getPeerCertificate() as Partial<PeerCertificate>).subject ?? {};
    socket.end(JSON.stringify({ serverName: askedName(socket), clientName }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return address.port;
}

/** Node's types leave it out. */
function askedName(socket: TLSSocket): unknown {
  return 'servername' in socket ? socket.servername : undefined;
}

describe('a TLS listener', () => {
  test.for([0, 2])(
    'with %i worker threads decrypts what comes, and encrypts what goes back',
    async (workers) => {
      const opened = await openTlsGateway(workers);
      await opened.put('stream_routes/1', { upstream: upstream(plain.port) });
      const client = connect(opened.port, { servername: 'db.test' });
      client.write('question');

      const peer = await plain.accept();
      expect(String(await peer.take(8))).toBe('question');
      await peer.send('answer');
      const [answer] = await once(client, 'data');
      expect(String(answer)).toBe('answer');
    },
  );

  test('shows the certificate of the name that the client asks for', async () => {
    const { port } = await openTlsGateway();

    expect(await namesShown(port, 'DB.test')).toBe('DNS:db.test');
    expect(await namesShown(port, 'a.other.test')).toBe('DNS:*.other.test');
  });

  test('refuses a name without a certificate, counts why, and tells whom', async () => {
    const opened = await openTlsGateway();

    await refusal(opened.port, { servername: 'nowhere.test' });

    expect(opened.gateway.counts().sessionsEnded.get('TLS_NAME_UNKNOWN')).toBe(1);
    const { fields } = await opened.logged('a session failed');
    expect(fields).toMatchObject({
      code: 'TLS_NAME_UNKNOWN',
      errno: 'UNRECOGNIZED_NAME',
      client: '127.0.0.1',
    });
  });

  test('shows a certificate from the moment it is stored, until it is deleted', async () => {
    const opened = await openTlsGateway();
    await opened.put('ssls/late', {
      sni: 'db.test',
      ...(await makeCertificate({ names: ['db.test', 'new.test'], ca })),
    });
    await opened.delete('ssls/db');
    expect(await namesShown(opened.port, 'db.test')).toBe('DNS:db.test, DNS:new.test');

    await opened.delete('ssls/late');

    expect(await refusal(opened.port, { servername: 'db.test' })).not.toBe('closed');
  });

  test('routes by the name that was asked for', async () => {
    const other = await openServer();
    onTestFinished(() => other.close());
    const opened = await openTlsGateway();
    await opened.put('stream_routes/1', { sni: 'db.test', upstream: upstream(plain.port) });
    await opened.put('stream_routes/2', { sni: '*.other.test', upstream: upstream(other.port) });

    connect(opened.port, { servername: 'db.test' }).write('db');
    connect(opened.port, { servername: 'x.other.test' }).write('other');

    expect(String(await (await plain.accept()).take(2))).toBe('db');
    expect(String(await (await other.accept()).take(5))).toBe('other');
  });

  test('routes by the protocol that is offered, and agrees on it at both ends', async () => {
    const { promise: agreed, resolve } = Promise.withResolvers<string | false | null>();
    const queue = createTlsServer({ ...forDb, ALPNProtocols: ['x', 'mqtt'] }, ({ alpnProtocol }) =>
      resolve(alpnProtocol),
    );
    queue.listen(0, '127.0.0.1');
    await once(queue, 'listening');
    onTestFinished(() => void queue.close());
    const opened = await openTlsGateway();
    const { port } = queue.address() as AddressInfo;
    await opened.put('stream_routes/1', { upstream: upstream(plain.port) });
    await opened.put('stream_routes/2', { alpn: ['mqtt'], upstream: upstream(port, { scheme: 'tls' }) });

    const other = connect(opened.port, { servername: 'db.test', ALPNProtocols: ['h2'] });
    other.write('other');
    expect(String(await (await plain.accept()).take(5))).toBe('other');
    expect(other.alpnProtocol).toBe(false);
    const mqtt = connect(opened.port, { servername: 'db.test', ALPNProtocols: ['h2', 'mqtt'] });
    await once(mqtt, 'secureConnect');

    expect([mqtt.alpnProtocol, await agreed]).toEqual(['mqtt', 'mqtt']);
  });

  test('resumes a session with whichever worker the client meets', async () => {
    const { port } = await openTlsGateway(2);
    const first = connect(port, { servername: 'db.test', maxVersion: 'TLSv1.2' });
    await once(first, 'secureConnect');
    const session = first.getSession();

    for (let nth = 0; nth < 8; nth += 1) {
      const next = connect(port, { servername: 'db.test', maxVersion: 'TLSv1.2', session });
      await once(next, 'secureConnect');
      expect(next.isSessionReused()).toBe(true);
      next.destroy();
    }
  });

  test('resumes a session with the gateway that it follows on', async () => {
    const former = await openTlsGateway();
    const first = connect(former.port, { servername: 'db.test', maxVersion: 'TLSv1.2' });
    await once(first, 'secureConnect');
    const session = first.getSession();
    const { ticketKeys } = await former.gateway.heritage();

    const { port } = await openTlsGateway(0, { inherited: { sockets: new Map(), drains: [], ticketKeys } });
    const next = connect(port, { servername: 'db.test', maxVersion: 'TLSv1.2', session });
    await once(next, 'secureConnect');

    expect(next.isSessionReused()).toBe(true);
  });

  test('begins and ends to speak TLS on reload', async () => {
    const opened = await openTlsGateway();
    await opened.put('stream_routes/1', { upstream: upstream(plain.port) });

    await opened.gateway.reload(opened.withEntry({}));
    const clear = connectPlain({ host: '127.0.0.1', port: opened.port });
    onTestFinished(() => void clear.destroy());
    clear.write('clear');
    expect(String(await (await plain.accept()).take(5))).toBe('clear');

    await opened.gateway.reload(opened.withEntry({ tls: true }));
    connect(opened.port, { servername: 'db.test' }).write('hidden');
    expect(String(await (await plain.accept()).take(6))).toBe('hidden');
  });

  test('that was none before begins to speak TLS on reload, and refuses nobody meanwhile', async () => {
    // With one listener there is no other that could take a connection.
    const opened = await openGateway({ workers: 1 });
    await opened.put('ssls/db', { sni: 'db.test', ...forDb });
    const echo = await openEcho();
    onTestFinished(() => echo.close());
    await opened.put('stream_routes/1', { upstream: upstream(echo.port) });
    const comings = async (): Promise<void> => {
      for (let count = 0; count < 200; count += 1) (await connectPeer(opened.port)).destroy();
    };

    const came = comings();
    for (const tls of [true, false, true, false, true]) {
      await opened.gateway.reload(opened.withEntry(tls ? { tls } : {}));
    }
    await came;

    const socket = connect(opened.port, { servername: 'db.test' });
    const bytes = someBytes(1_000_000);
    socket.end(bytes);
    expect(await buffer(socket)).toEqual(Buffer.from(bytes));
  });

  test('agrees to the versions and ciphers of its port, and to others after a reload', async () => {
    const tls = { tls: true, ssl_protocols: 'TLSv1.2', ssl_ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' };
    const opened = await openGateway({ workers: 0, entry: tls });
    await opened.put('ssls/db', { sni: 'db.test', ...forDb });
    const agreed = async (): Promise<unknown> => {
      const socket = connect(opened.port, { servername: 'db.test' });
      await once(socket, 'secureConnect');
      return [socket.getProtocol(), socket.getCipher().name];
    };

    expect(await agreed()).toEqual(['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384']);
    expect(await refusal(opened.port, { servername: 'db.test', minVersion: 'TLSv1.3' })).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );

    await opened.gateway.reload(opened.withEntry({ tls: true }));

    expect(await agreed()).toEqual(['TLSv1.3', 'TLS_AES_256_GCM_SHA384']);
  });

  test('opens private keys that the Admin API has encrypted', async () => {
    const opened = await openGateway({ workers: 0, entry: { tls: true } });
    const sealed = sealPrivateKeys(sslKind, { sni: 'db.test', ...forDb }, keyringOf(opened.withEntry({})));
    expect(sealed['key']).not.toContain('PRIVATE KEY');

    await opened.put('ssls/db', sealed);

    expect(await namesShown(opened.port, 'db.test')).toBe('DNS:db.test');
  });

  test.for(['a key of another keyring', '$env://DB_KEY'])('says why it cannot use %s', async (key) => {
    const opened = await openGateway({ workers: 0, entry: { tls: true } });
    const sealed = sealPrivateKeys(sslKind, { sni: 'db.test', ...forDb }, ['another keyring!']);

    await opened.put('ssls/db', key.startsWith('$') ? { sni: 'db.test', cert: forDb.cert, key } : sealed);

    const { fields } = await opened.logged('a certificate cannot be used');
    expect(fields).toMatchObject({ resource: 'ssls/db' });
  });

  test('asks for a certificate where the ssl has a client ca', async () => {
    const opened = await openTlsGateway();
    await opened.put('ssls/db', { sni: 'db.test', ...forDb, client: { ca: ca.cert, depth: 1 } });
    await opened.put('stream_routes/1', { upstream: upstream(plain.port) });

    expect(await refusal(opened.port, { servername: 'db.test' })).toMatch(/^ERR_SSL_/);
    connect(opened.port, { servername: 'db.test', ...ofClient }).write('mine');

    expect(String(await (await plain.accept()).take(4))).toBe('mine');
    expect(opened.gateway.counts().sessionsEnded.get('TLS_CLIENT_CERTIFICATE_INVALID')).toBe(1);
  });

  test('can say in the access log who the client was', async () => {
    const format =
      '$remote_addr $ssl_protocol $ssl_server_name $ssl_client_verify $ssl_client_s_dn $ssl_client_i_dn';
    const opened = await openTlsGateway(0, { accessLogFormat: format });
    await opened.put('ssls/db', { sni: 'db.test', ...forDb, client: { ca: ca.cert, depth: 1 } });
    await opened.put('stream_routes/1', { upstream: upstream(plain.port) });
    connect(opened.port, { servername: 'db.test', ...ofClient }).end('mine');
    (await plain.accept()).end();

    await opened.gateway.quit();

    expect(opened.access()).toBe('127.0.0.1 TLSv1.3 db.test SUCCESS CN=client.test CN=test ca\n');
  });
});

describe('a listener that both terminates TLS and passes it on', () => {
  const entry = { tls: true, tls_passthrough: true };

  /** `db.test` ends at the gateway; `*.other.test` is passed on to a server that has the certificate itself. */
  async function openBoth(): Promise<OpenGateway> {
    const opened = await openGateway({ workers: 0, entry });
    await opened.put('ssls/db', { sni: 'db.test', ...forDb });
    await opened.put('stream_routes/db', { sni: 'db.test', upstream: upstream(plain.port) });
    await opened.put('stream_routes/others', {
      sni: '*.other.test',
      tls_passthrough: true,
      upstream: upstream(await openTlsServer(forOthers)),
    });
    return opened;
  }

  test('lets the route of the name decide', async () => {
    const { port } = await openBoth();

    const ended = connect(port, { servername: 'db.test' });
    ended.write('db');
    expect(String(await (await plain.accept()).take(2))).toBe('db');
    expect(ended.getPeerCertificate().subjectaltname).toBe('DNS:db.test');

    const passedOn = connect(port, { servername: 'a.other.test' });
    const [said] = await once(passedOn, 'data');
    expect(JSON.parse(String(said))).toEqual({ serverName: 'a.other.test' });
    expect(passedOn.getPeerCertificate().subjectaltname).toBe('DNS:*.other.test');
  });

  test('lets the protocol decide, too', async () => {
    const opened = await openBoth();
    await opened.put('stream_routes/h2', {
      alpn: ['h2'],
      tls_passthrough: true,
      priority: 1,
      upstream: upstream(await openTlsServer(forDb)),
    });

    const [said] = await once(connect(opened.port, { servername: 'db.test', ALPNProtocols: ['h2'] }), 'data');
    expect(JSON.parse(String(said))).toEqual({ serverName: 'db.test' });
    connect(opened.port, { servername: 'db.test', ALPNProtocols: ['x'] }).write('db');
    expect(String(await (await plain.accept()).take(2))).toBe('db');
  });

  test('follows a route that changes its mind, for the next connection', async () => {
    const opened = await openBoth();
    await opened.put('stream_routes/db', {
      sni: 'db.test',
      tls_passthrough: true,
      upstream: upstream(await openTlsServer(forOthers)),
    });

    expect(await refusal(opened.port, { servername: 'db.test' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('terminates TLS of a name without a route, and tells whom it refuses', async () => {
    const { gateway, port } = await openBoth();

    await refusal(port, { servername: 'nowhere.test' });

    expect(gateway.counts().sessionsEnded.get('TLS_NAME_UNKNOWN')).toBe(1);
  });

  test('passes TLS on where a PROXY header comes first', async () => {
    const opened = await openBoth();
    await opened.gateway.reload(opened.withEntry({ ...entry, proxy_protocol: true }));
    const socket = connectPlain({ host: '127.0.0.1', port: opened.port });
    socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');

    const secure = connect(opened.port, { socket, servername: 'a.other.test' });

    const [said] = await once(secure, 'data');
    expect(JSON.parse(String(said))).toEqual({ serverName: 'a.other.test' });
  });

  test('begins and ceases to pass TLS on with a reload', async () => {
    const opened = await openBoth();
    await opened.gateway.reload(opened.withEntry({ tls: true }));
    await refusal(opened.port, { servername: 'a.other.test' });
    expect(opened.gateway.counts().sessionsEnded.get('TLS_NAME_UNKNOWN')).toBe(1);

    await opened.gateway.reload(opened.withEntry(entry));

    const [said] = await once(connect(opened.port, { servername: 'a.other.test' }), 'data');
    expect(JSON.parse(String(said))).toEqual({ serverName: 'a.other.test' });
  });
});

describe('scheme tls', () => {
  interface Asked {
    readonly serverName: string | false;
    readonly clientName: string | undefined;
  }

  /** What the server says to a plain client of the gateway; undefined when it is closed without a byte. */
  async function ask(port: number): Promise<Asked | undefined> {
    const client = connectPlain({ host: '127.0.0.1', port });
    onTestFinished(() => void client.destroy());
    const said = await text(client);
    return said === '' ? undefined : (JSON.parse(said) as Asked);
  }

  async function openServing(port: number, more: object = {}): Promise<OpenGateway> {
    const opened = await openGateway({ workers: 0 });
    await opened.put('stream_routes/1', { upstream: upstream(port, { scheme: 'tls', ...more }) });
    return opened;
  }

  test('speaks TLS for a plain client, under the name that the reference uses', async () => {
    const { port } = await openServing(await openTlsServer(forDb));

    expect(await ask(port)).toEqual({ serverName: 'apisix_backend' });
  });

  test('asks for the name that the client asked for', async () => {
    const port = await openTlsServer(forDb);
    const opened = await openTlsGateway();
    await opened.put('stream_routes/1', { upstream: upstream(port, { scheme: 'tls' }) });

    const [chunk] = await once(connect(opened.port, { servername: 'db.test' }), 'data');

    expect(JSON.parse(String(chunk))).toEqual({ serverName: 'db.test' });
  });

  test.for(['client_cert', 'client_cert_id'])('shows the certificate of tls.%s', async (form) => {
    const mutual = { ...forDb, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
    const opened = await openGateway({ workers: 0 });
    await opened.put('ssls/mine', { type: 'client', ...ofClient });
    const tls =
      form === 'client_cert_id'
        ? { client_cert_id: 'mine' }
        : { client_cert: ofClient.cert, client_key: ofClient.key };
    const port = await openTlsServer(mutual);
    await opened.put('stream_routes/1', { upstream: upstream(port, { scheme: 'tls', tls }) });

    expect(await ask(opened.port)).toMatchObject({ clientName: 'client.test' });
  });

  test('sends nothing to an upstream whose certificate it was told to verify and cannot', async () => {
    const { gateway, port } = await openServing(await openTlsServer(forDb), { tls: { verify: true } });

    expect(await ask(port)).toBeUndefined();
    expect(gateway.counts().sessionsEnded.get('UPSTREAM_CERTIFICATE_INVALID')).toBe(1);
  });

  test('tries the next node when one does not speak TLS', async () => {
    const good = await openTlsServer(forDb);
    const notTls = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    notTls.listen(0, '127.0.0.1');
    await once(notTls, 'listening');
    onTestFinished(() => void notTls.close());
    const opened = await openGateway({ workers: 0 });
    const nodes = [
      { host: '127.0.0.1', port: (notTls.address() as AddressInfo).port, weight: 1, priority: 1 },
      { host: '127.0.0.1', port: good, weight: 1, priority: 0 },
    ];
    await opened.put('stream_routes/1', { upstream: { scheme: 'tls', nodes } });

    expect(await ask(opened.port)).toMatchObject({ serverName: 'apisix_backend' });
  });
});
