import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { splitAtEach, splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { getExtensionData, readTlsClientHello } from 'read-tls-client-hello';
import { describe, expect, test } from 'vitest';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { ClientHelloParser } from './client-hello.ts';
import type { ClientHello } from './hello-message.ts';

/** What Node's TLS client sends first. */
function helloOfNode(options: ConnectionOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const sent: Uint8Array[] = [];
    const carrier = new Duplex({
      read() {},
      write(chunk: Uint8Array, _, done) {
        sent.push(chunk);
        done();
        // All of it is written in one go.
        setImmediate(() => {
          client.destroy();
          resolve(new Uint8Array(Buffer.concat(sent)));
        });
      },
    });
    const client = connect({ socket: carrier, ...options });
    client.on('error', reject);
  });
}

/** What `openssl s_client` sends first. */
async function helloOfOpenssl(...options: readonly string[]): Promise<Uint8Array> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const received = new Promise<Uint8Array>((resolve) => {
    server.once('connection', (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        if (read([bytes]).kind === 'need-more') return;
        socket.destroy();
        resolve(bytes);
      });
    });
  });
  const client = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${portOf(server)}`, ...options]);
  const bytes = await received;
  if (client.exitCode === null) await once(client, 'exit');
  server.close();
  return bytes;
}

/** A ClientHello that offers a session again, with a ticket from a server. */
async function helloWithTicket(): Promise<Uint8Array> {
  const psk = Buffer.alloc(32, 7);
  const shared = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
  const server = createServer({ ...shared, pskCallback: () => psk }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const options = {
    ...shared,
    servername: 'again.test',
    pskCallback: () => ({ psk, identity: 'test' }),
    checkServerIdentity: () => undefined,
  };
  const client = connect({ ...options, port: portOf(server), host: '127.0.0.1' });
  const [session]: unknown[] = await once(client, 'session');
  client.destroy();
  server.close();
  if (!Buffer.isBuffer(session)) throw new Error('no session came');
  return helloOfNode({ ...options, session });
}

function portOf(server: Server): number {
  // A TCP server that listens has such an address.
  return (server.address() as AddressInfo).port;
}

function read(pieces: Iterable<Uint8Array>): HeadAnswer<ClientHello> {
  const parser = new ClientHelloParser();
  for (const piece of pieces) {
    const answer = parser.push(piece);
    if (answer.kind !== 'need-more') return answer;
  }
  return { kind: 'need-more' };
}

/** What another parser makes of it, with the name as this one shows it. */
async function readByOracle(bytes: Uint8Array): Promise<Omit<ClientHello, 'ticketNames'>> {
  const hello = await readTlsClientHello(Readable.from([bytes], { objectMode: false }));
  return {
    serverName: getExtensionData(hello, 'server_name')?.serverName?.toLowerCase().replace(/\.$/, ''),
    alpn: getExtensionData(hello, 'application_layer_protocol_negotiation')?.protocols ?? [],
    versions: getExtensionData(hello, 'supported_versions')?.versions ?? [hello.version],
  };
}

async function expectToAgree(bytes: Uint8Array): Promise<ClientHello> {
  const answer = read([bytes]);
  if (answer.kind !== 'parsed') throw new Error(`not parsed: ${JSON.stringify(answer)}`);
  expect(answer.value).toMatchObject(await readByOracle(bytes));
  for (const pieces of splitAtEach(bytes)) expect(read(pieces)).toEqual(answer);
  expect(read(splitBytes(bytes, 1))).toEqual(answer);
  for (const [head] of splitAtEach(bytes)) {
    if (head.length < bytes.length) expect(read([head])).toEqual({ kind: 'need-more' });
  }
  return answer.value;
}

const longName = `${'label-of-some-length.'.repeat(11)}example.com`;
const weak = 'DEFAULT@SECLEVEL=0';

describe('what Node sends', () => {
  test.for<readonly [what: string, options: ConnectionOptions, expected: Partial<ClientHello>]>([
    ['by default', { servername: 'a.test' }, { serverName: 'a.test', versions: [0x0304, 0x0303] }],
    ['without a name', {}, { serverName: undefined, alpn: [] }],
    ['with a name in upper case', { servername: 'A.Test' }, { serverName: 'a.test' }],
    ['with a long name', { servername: longName }, { serverName: longName }],
    ['with protocols', { ALPNProtocols: ['h2', 'http/1.1'] }, { alpn: ['h2', 'http/1.1'] }],
    ['for TLS 1.3 only', { minVersion: 'TLSv1.3' }, { versions: [0x0304] }],
    ['for TLS 1.2 only', { maxVersion: 'TLSv1.2', servername: 'b.test' }, { versions: [0x0303] }],
    ['for TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: weak }, { versions: [0x0302] }],
    ['for TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: weak }, { versions: [0x0301] }],
  ])('%s is read as another parser reads it, cut anywhere', async ([, options, expected]) => {
    const found = await expectToAgree(await helloOfNode(options));

    expect(found).toMatchObject(expected);
  });

  test('with a session ticket is read like the others', async () => {
    const found = await expectToAgree(await helloWithTicket());

    expect(found.serverName).toBe('again.test');
  });

  test('and was then damaged is refused, or read as another parser reads it', async () => {
    const whole = await helloOfNode({ servername: 'a.test', ALPNProtocols: ['h2', 'mysql'] });
    // Behind the lengths of the record and the message, which the other parser takes less strictly.
    const mutation = fc.record({ at: fc.integer({ min: 9, max: whole.length - 1 }), value: fc.nat(255) });

    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const bytes = whole.slice();
        for (const { at, value } of mutations) bytes[at] = value;
        const answer = read([bytes]);
        if (answer.kind !== 'parsed') return;

        compared += 1;
        const oracle = await readByOracle(bytes);
        expect(answer.value.serverName).toBe(oracle.serverName);
        // The other parser drops the eighth bit.
        const alpn = answer.value.alpn.map((name) => Buffer.from(name, 'latin1').toString('ascii'));
        expect(alpn).toEqual(oracle.alpn);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  test('of 60 KB over four records is read whole', async () => {
    const protocols = Array.from({ length: 280 }, (_, index) => `${index}-`.padEnd(215, 'x'));
    const bytes = await helloOfNode({ servername: 'big.test', ALPNProtocols: protocols });
    const value = { serverName: 'big.test', alpn: protocols };

    expect(bytes.length).toBeGreaterThan(60_000);
    expect(read([bytes])).toMatchObject({ kind: 'parsed', value });
    expect(read(splitBytes(bytes, 1))).toMatchObject({ kind: 'parsed', value });
  });
});

const hasOpenssl = await new Promise<boolean>((resolve) => {
  execFile('openssl', ['version'], (error) => resolve(error === null));
});

// Without the program there is nothing to record.
describe.skipIf(!hasOpenssl)('what openssl s_client sends', () => {
  test.for<readonly [options: readonly string[], expected: Partial<ClientHello>]>([
    [['-servername', 'a.test', '-alpn', 'mysql,h2'], { serverName: 'a.test', alpn: ['mysql', 'h2'] }],
    [['-noservername', '-tls1_2'], { serverName: undefined, versions: [0x0303] }],
    [['-servername', 'a.test', '-tls1', '-cipher', weak], { serverName: 'a.test', versions: [0x0301] }],
    [['-servername', 'a.test', '-tls1_3', '-no_ticket'], { versions: [0x0304] }],
  ])('with %j is read as another parser reads it, cut anywhere', async ([options, expected]) => {
    const found = await expectToAgree(await helloOfOpenssl(...options));

    expect(found).toMatchObject(expected);
  });

  test('over records of 512 bytes is read whole', async () => {
    const protocols = Array.from({ length: 12 }, (_, index) => `${index}-`.padEnd(100, 'x'));
    const options = ['-servername', 'a.test', '-max_send_frag', '512', '-alpn', protocols.join(',')];
    const bytes = await helloOfOpenssl(...options);

    expect([bytes[3], bytes[4]]).toEqual([2, 0]);
    expect(read([bytes])).toMatchObject({ kind: 'parsed', value: { serverName: 'a.test', alpn: protocols } });
    for (const pieces of splitAtEach(bytes)) expect(read(pieces)).toEqual(read([bytes]));
  });
});
