import type { ConnectionOptions } from 'node:tls';
import { someBytes, splitAtEach, splitBytes } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { captureHello } from '../testing/tls-client.ts';
import { readClientHello } from './client-hello.ts';

describe('reading a ClientHello', () => {
  test.for<[string, ConnectionOptions, string | undefined]>([
    ['of TLS 1.3', { servername: 'a.test' }, 'a.test'],
    ['of TLS 1.2', { servername: 'a.test', maxVersion: 'TLSv1.2' }, 'a.test'],
    ['with application protocols', { servername: 'b.test', ALPNProtocols: ['h2', 'mqtt'] }, 'b.test'],
    ['without a name', { maxVersion: 'TLSv1.2' }, undefined],
  ])('finds the name in one %s', async ([, options, serverName]) => {
    const bytes = await captureHello(options);

    expect(readClientHello(bytes)).toEqual({ serverName, ticketKeyNames: expect.any(Array) });
  });

  test('needs exactly all of it, wherever it is cut', async () => {
    const bytes = await captureHello({ servername: 'a.test' });

    for (const [head, tail] of splitAtEach(bytes)) {
      const reading = readClientHello(Buffer.from(head));
      if (tail.length > 0) expect(reading).toBe('needMore');
      else expect(reading).toMatchObject({ serverName: 'a.test' });
    }
  });

  test('does not care how it is spread over records, nor what follows', async () => {
    const bytes = await captureHello({ servername: 'a.test' });

    for (const size of [1, 2, 3, 4, 5, 100, bytes.length - 6]) {
      const records = [...splitBytes(bytes.subarray(5), size)].map(record);
      expect(readClientHello(Buffer.concat([...records, record(someBytes(9))]))).toMatchObject({
        serverName: 'a.test',
      });
      expect(readClientHello(Buffer.concat(records.slice(0, -1)))).toBe('needMore');
    }
  });

  test('a message that ends anywhere before its end is malformed, but for where a hello may end', async () => {
    const message = (await captureHello({ servername: 'a.test' })).subarray(9);
    let whole = 0;

    for (const [head] of splitAtEach(message)) {
      const bytes = record(Buffer.concat([Buffer.from([1, 0, head.length >> 8, head.length & 255]), head]));
      if (readClientHello(bytes) !== 'malformed') whole += 1;
    }

    // All of it, and all before the extensions.
    expect(whole).toBe(2);
  });

  test.for<[string, string | Uint8Array, string]>([
    ['HTTP', 'GET / HTTP/1.1\r\n', 'notTls'],
    ['a MySQL login', someBytes(36), 'notTls'],
    ['one byte that is none of a record', '\u0017', 'notTls'],
    ['a record of SSL 2', '\u0016\u0002', 'notTls'],
    ['another handshake message', record(Buffer.from([2, 0, 0, 1, 0])), 'malformed'],
    ['an empty record', record(new Uint8Array()), 'malformed'],
    ['a record beyond the bound', Buffer.from([22, 3, 1, 255, 255]), 'malformed'],
    ['a message beyond the bound', record(Buffer.from([1, 2, 0, 0])), 'malformed'],
    ['an empty message', record(Buffer.from([1, 0, 0, 0])), 'malformed'],
    ['nothing', '', 'needMore'],
  ])('%s is told apart', ([, bytes, reading]) => {
    expect(readClientHello(Buffer.from(bytes))).toBe(reading);
  });

  test('no change of one byte makes it throw', async () => {
    const bytes = await captureHello({ servername: 'a.test' });

    for (let at = 0; at < bytes.length; at += 1) {
      for (const value of [0, 1, 127, 255]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect(() => readClientHello(changed)).not.toThrow();
      }
    }
  });
});

function record(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([22, 3, 1, content.length >> 8, content.length & 255]), content]);
}
