import { once } from 'node:events';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { connectPeer, openServer } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway, OpenGatewayOptions } from './testing/open-gateway.ts';
import { pskClient, pskServer } from './testing/psk.ts';

let server: TestServer;

beforeAll(async () => {
  server = await openServer();
});

afterAll(() => server.close());

const HEADER = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';

/** A gateway that serves everything from `server`. */
async function openServing(options: Omit<OpenGatewayOptions, 'workers'>): Promise<OpenGateway> {
  const opened = await openGateway({ workers: 0, ...options });
  await opened.put('stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${server.port}`]: 1 } } });
  return opened;
}

async function connect({ port }: OpenGateway): Promise<Peer> {
  const client = await connectPeer(port);
  onTestFinished(() => client.destroy());
  return client;
}

/** What the server gets, `count` bytes as text. */
async function served(count: number): Promise<string> {
  const peer = await server.accept();
  onTestFinished(() => peer.destroy());
  return (await peer.take(count)).toString('latin1');
}

describe('with proxy_protocol a listener', () => {
  const entry = { proxy_protocol: true };

  test('reads the header, however it is cut, and passes on exactly what follows', async () => {
    const opened = await openServing({ entry });
    const client = await connect(opened);

    for (const byte of `${HEADER}payload`) await client.send(byte);

    expect(await served(7)).toBe('payload');
  });

  test('passes on the end of a client that sent everything at once', async () => {
    const opened = await openServing({ entry });
    const client = await connect(opened);

    client.end(`${HEADER}all`);

    const peer = await server.accept();
    onTestFinished(() => peer.destroy());
    expect(await peer.rest()).toMatchObject({ bytes: 3, ending: 'end' });
  });

  test.for([
    ['192.0.2.7', true],
    ['127.0.0.1', false],
  ] as const)('routes by the address %s when the peer is trusted: %s', async ([address, isTrusted]) => {
    const opened = await openServing({ entry, ...(isTrusted ? { realIpFrom: ['127.0.0.0/8'] } : {}) });
    await opened.put('stream_routes/1', {
      remote_addr: address,
      upstream: { nodes: { [`127.0.0.1:${server.port}`]: 1 } },
    });
    const client = await connect(opened);

    await client.send(`${HEADER}x`);

    expect(await served(1)).toBe('x');
  });

  test.for([
    ['192.0.2.7:4711', true],
    ['127.0.0.1:…', false],
  ] as const)('calls the client %s when the peer is trusted: %s', async ([client, isTrusted]) => {
    const opened = await openServing({
      entry,
      ...(isTrusted ? { realIpFrom: ['127.0.0.0/8'] } : {}),
      accessLogFormat:
        '$remote_addr:$remote_port $realip_remote_addr ' +
        '$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port',
    });
    const { port } = opened;
    (await connectPeer(port)).end(`${HEADER}x`);
    (await server.accept()).end();

    await opened.gateway.quit();

    const line = `${client} 127.0.0.1 192.0.2.7:4711 198.51.100.1:443`;
    expect(
      opened
        .access()
        .trimEnd()
        .replace(/127\.0\.0\.1:\d+/, '127.0.0.1:…'),
    ).toBe(line);
  });

  test.for([
    ['no header', 'GET / HTTP/1.1\r\n', 'PROXY_HEADER_MISSING'],
    ['a bad header', 'PROXY TCP4 nonsense\r\n', 'PROXY_HEADER_MALFORMED'],
  ] as const)('closes a client with %s without a byte', async ([, bytes, reason]) => {
    const opened = await openServing({ entry });
    const client = await connect(opened);

    await client.send(bytes);

    expect((await client.rest()).bytes).toBe(0);
    expect(opened.gateway.counts().sessionsEnded.get(reason)).toBe(1);
  });

  test('takes other settings on reload for the next client', async () => {
    const opened = await openServing({});
    const plain = await connect(opened);
    await plain.send('one');
    expect(await served(3)).toBe('one');

    await opened.gateway.reload(opened.withEntry({ proxy_protocol: true }));
    const client = await connect(opened);
    await client.send(`${HEADER}two`);

    expect(await served(3)).toBe('two');
  });
});

describe('with proxy_protocol_to_upstream a listener', () => {
  test('says who the client is before any payload, also when the server speaks first', async () => {
    const opened = await openServing({ entry: { proxy_protocol_to_upstream: true } });
    const client = await connect(opened);

    const peer = await server.accept();
    onTestFinished(() => peer.destroy());
    const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.localPort} ${opened.port}\r\n`;
    expect((await peer.take(line.length)).toString()).toBe(line);
    await peer.send('banner');
    expect((await client.take(6)).toString()).toBe('banner');
  });

  test('hands on the client that a trusted peer named, in version 2', async () => {
    const opened = await openServing({
      entry: { proxy_protocol: true, proxy_protocol_to_upstream: 'v2' },
      realIpFrom: ['127.0.0.1'],
    });
    const client = await connect(opened);
    await client.send(`${HEADER}x`);

    const bytes = Buffer.from(await served(29), 'latin1');

    expect(bytes.subarray(0, 12).toString('latin1')).toBe('\r\n\r\n\0\r\nQUIT\n');
    expect([...bytes.subarray(12, 24)]).toEqual([0x21, 0x11, 0, 12, 192, 0, 2, 7, 127, 0, 0, 1]);
    expect(bytes.readUInt16BE(24)).toBe(4711);
    expect(bytes.readUInt16BE(26)).toBe(opened.port);
    expect(bytes.subarray(28).toString()).toBe('x');
  });
});

describe('with tls_passthrough a listener', () => {
  const entry = { tls_passthrough: true };

  /** A TLS server that says its name. */
  async function openTls(name: string): Promise<number> {
    const tls = createTlsServer(pskServer, (socket) => socket.end(name));
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    onTestFinished(() => void tls.close());
    const address = tls.address();
    if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
    return address.port;
  }

  /** Who answers a TLS client that asks for this name. */
  async function ask(port: number, servername: string): Promise<string> {
    const socket = connectTls({ ...pskClient, host: '127.0.0.1', port, servername });
    onTestFinished(() => void socket.destroy());
    const [chunk] = await once(socket, 'data');
    return String(chunk);
  }

  test('routes by the name asked for, and never looks inside', async () => {
    const opened = await openGateway({ workers: 0, entry });
    const [exact, wildcard, other] = await Promise.all([
      openTls('exact'),
      openTls('wildcard'),
      openTls('other'),
    ]);
    const upstream = (port: number): object => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });
    await opened.put('stream_routes/1', { sni: 'db.example.test', upstream: upstream(exact) });
    await opened.put('stream_routes/2', { snis: ['*.example.test'], upstream: upstream(wildcard) });
    await opened.put('stream_routes/3', { upstream: upstream(other) });

    expect(await ask(opened.port, 'DB.example.test')).toBe('exact');
    expect(await ask(opened.port, 'a.b.example.test')).toBe('wildcard');
    expect(await ask(opened.port, 'elsewhere.test')).toBe('other');
  });

  test('serves a client that does not speak TLS by a route without a name', async () => {
    const opened = await openServing({ entry });
    const client = await connect(opened);

    await client.send('GET /');

    expect(await served(5)).toBe('GET /');
  });

  test('closes a client whose ClientHello breaks the rules', async () => {
    const opened = await openServing({ entry });
    const client = await connect(opened);

    await client.send(Buffer.from([22, 3, 1, 0, 0]));

    expect((await client.rest()).bytes).toBe(0);
    expect(opened.gateway.counts().sessionsEnded.get('CLIENT_HELLO_MALFORMED')).toBe(1);
  });
});

test('a gateway that closes ends sessions whose head is still to come', async () => {
  const opened = await openServing({ entry: { proxy_protocol: true } });
  const client = await connect(opened);
  await client.send('PROXY ');

  await opened.gateway.close();

  expect((await client.rest()).bytes).toBe(0);
});
