import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpLimits } from '@apisix-ts/http-server';
import { freePort } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { HttpActivity } from './http-activity.ts';
import { openHttpListener } from './http-listener.ts';

/** @returns connects, and sends what it is given. */
async function openListener(limits: HttpLimits): Promise<(bytes?: string) => Promise<Socket>> {
  const port = await freePort();
  const listener = await openHttpListener('127.0.0.1', port, 'APISIX', new HttpActivity(), undefined, limits);
  onTestFinished(() => listener.close());
  return async (bytes = '') => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(bytes);
    return socket;
  };
}

test.for([
  ['says nothing', ''],
  ['does not finish its headers', 'GET / HTTP/1.1\r\nHost: x\r\nX: '],
] as const)('a client that %s is let go', async ([, bytes]) => {
  const dial = await openListener({ headersTimeoutMs: 100 });

  expect(await text(await dial(bytes))).toMatch(/^HTTP\/1\.1 408 /);
});

test('a client that does not finish its body is answered and let go', async () => {
  const dial = await openListener({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 });
  const socket = await dial('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na');

  expect(await text(socket)).toMatch(/^HTTP\/1\.1 404 /);
});

test('connections above the limit are closed at once', async () => {
  const dial = await openListener({ maxConnections: 1 });
  const first = await dial();

  expect(await text(await dial()).catch(() => '')).toBe('');

  first.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(await text(first)).toContain('404 Route Not Found');
});
