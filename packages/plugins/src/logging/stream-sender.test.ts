import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { freePort, makeCertificate, openServer } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StreamSender } from './stream-sender.ts';
import type { StreamSenderTls } from './stream-sender.ts';

function open(port: number, tls?: StreamSenderTls, timeoutMs = 20_000): StreamSender {
  const sender = new StreamSender({ host: '127.0.0.1', port, tls, timeoutMs });
  onTestFinished(() => sender.close());
  return sender;
}

async function openTestServer(): Promise<TestServer> {
  const server = await openServer();
  onTestFinished(() => server.close());
  return server;
}

test('one connection serves one batch after the other', async () => {
  const server = await openTestServer();
  const sender = open(server.port);

  await sender.send(['a\n', 'b\n']);
  await sender.send(['c\n']);

  expect(String(await (await server.accept()).take(6))).toBe('a\nb\nc\n');
});

test.for(['end', 'reset'] as const)('a connection that ended with %s is replaced', async (ending) => {
  const server = await openTestServer();
  const sender = open(server.port);
  await sender.send(['a\n']);
  const first = await server.accept();
  await first.take(2);
  first[ending]();
  await first.closed;

  await sender.send(['b\n']);

  expect(String(await (await server.accept()).take(2))).toBe('b\n');
});

test('where nobody listens, nothing is sent', async () => {
  const sender = open(await freePort());

  await expect(sender.send(['a\n'])).rejects.toThrow('ECONNREFUSED');
});

test('a server that takes nothing is given up', async () => {
  const server = await openTestServer();
  const sender = open(server.port, undefined, 50);

  await expect(sender.send(['x'.repeat(50_000_000)])).rejects.toThrow('not all was taken within 50 ms');
});

test('what is under way ends with close, and the next batch has another connection', async () => {
  const server = await openTestServer();
  const sender = open(server.port);
  const sending = sender.send(['x'.repeat(50_000_000)]);
  await (await server.accept()).take(1);

  sender.close();
  await expect(sending).rejects.toThrow('not all was taken until it had to end');
  await sender.send(['a\n']);

  expect(String(await (await server.accept()).take(2))).toBe('a\n');
});

describe('over TLS', () => {
  async function openTls(
    names: readonly string[],
  ): Promise<{ port: number; caFile: string; got: Promise<string> }> {
    const ca = await makeCertificate({ names: ['ca'], use: 'ca' });
    const { promise: got, resolve } = Promise.withResolvers<string>();
    const server = createServer(await makeCertificate({ names, ca }), (socket: TLSSocket) => {
      socket.once('data', (bytes) => resolve(`${socket.getProtocol()} ${String(bytes)}`));
    });
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      server.close();
      await once(server, 'close');
    });
    const caFile = join(await mkdtemp(join(tmpdir(), 'syslog-')), 'ca.pem');
    await writeFile(caFile, ca.cert);
    onTestFinished(() => rm(dirname(caFile), { recursive: true }));
    return { port, caFile, got };
  }

  test('a server of an authority that is trusted gets the batch', async () => {
    const { port, caFile, got } = await openTls(['127.0.0.1']);
    const sender = open(port, { caFile });

    await sender.send(['a\n']);

    expect(await got).toBe('TLSv1.3 a\n');
    sender.close();
  });

  test.for([
    ['an authority that is not', '127.0.0.1', false, 'unable to verify the first certificate'],
    ['another name', 'other.test', true, "Hostname/IP does not match certificate's altnames"],
  ] as const)('one of %s gets nothing', async ([, name, isTrusted, message]) => {
    const { port, caFile } = await openTls([name]);
    const sender = open(port, { caFile: isTrusted ? caFile : undefined });

    await expect(sender.send(['a\n'])).rejects.toThrow(message);
  });

  test('authorities that cannot be read are none', async () => {
    const { port } = await openTls(['127.0.0.1']);
    const sender = open(port, { caFile: '/no/such/file' });

    await expect(sender.send(['a\n'])).rejects.toThrow('ENOENT');
  });

  test('a server that does not speak it is given up', async () => {
    const server = await openTestServer();
    const sender = open(server.port, { caFile: undefined }, 50);

    await expect(sender.send(['a\n'])).rejects.toThrow('no connection within 50 ms');
  });
});
