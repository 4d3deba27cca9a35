import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { openAdmin } from './testing/open-admin.ts';
import type { TestAdmin } from './testing/open-admin.ts';

const head = (line: string, ...headers: string[]): string =>
  [line, 'Host: x', ...headers, '', ''].join('\r\n');
const list = head('GET /apisix/admin/upstreams HTTP/1.1');

async function dial({ port }: TestAdmin): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Everything the server sends until it closes. */
async function exchange(admin: TestAdmin, bytes: string | Buffer): Promise<string> {
  const socket = await dial(admin);
  socket.write(bytes);
  return text(socket);
}

async function expectAlive(admin: TestAdmin): Promise<void> {
  expect((await admin.send('GET', '/upstreams')).status).toBe(200);
}

describe('bytes that are no request', () => {
  test.for([
    ['junk', Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]), 400, 'malformed request'],
    ['a method that is none', head('FOO / HTTP/1.1'), 400, 'malformed request'],
    ['a header without a colon', head('GET / HTTP/1.1', 'nonsense'), 400, 'malformed request'],
    [
      'a length that is none',
      head('PUT /apisix/admin/upstreams/1 HTTP/1.1', 'Content-Length: x'),
      400,
      'malformed request',
    ],
    [
      'two framings',
      head('PUT / HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      400,
      'malformed request',
    ],
    ['the start of TLS', Buffer.from('1603010200010001fc0303', 'hex'), 400, 'malformed request'],
    ['a huge header', head('GET / HTTP/1.1', `X: ${'x'.repeat(20_000)}`), 431, 'request header too large'],
    ['a huge path', head(`GET /${'x'.repeat(20_000)} HTTP/1.1`), 431, 'request header too large'],
  ] as const)(
    '%s are answered with JSON, and the connection closes',
    async ([_claim, bytes, status, reason]) => {
      await using admin = await openAdmin();

      const reply = await exchange(admin, bytes);

      expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\\r\\n\\r\\n{"error_msg":"${reason}"}\n$`));
      await expectAlive(admin);
    },
  );

  test('a body that is no UTF-8 is refused and not stored', async () => {
    await using admin = await openAdmin();
    const body = Buffer.from('{"desc":"\xff"}', 'latin1');
    const put = head(
      'PUT /apisix/admin/services/1 HTTP/1.1',
      'Connection: close',
      `Content-Length: ${body.length}`,
    );

    const reply = await exchange(admin, Buffer.concat([Buffer.from(put), body]));

    expect(reply).toContain('400 Bad Request');
    expect(reply).toContain('"error_msg":"invalid request body: not encoded as UTF-8"');
    expect(await admin.store.writer.get('services/1')).toBeUndefined();
  });

  test('a request target with no path is answered', async () => {
    await using admin = await openAdmin();

    expect(await exchange(admin, head('OPTIONS * HTTP/1.1', 'Connection: close'))).toContain('405');
    expect(await exchange(admin, head('GET http://x HTTP/1.1', 'Connection: close'))).toContain('404');
    expect(await exchange(admin, head('CONNECT a:1 HTTP/1.1'))).toBe('');
    await expectAlive(admin);
  });

  test('a chunk that is none ends the connection and nothing else', async () => {
    await using admin = await openAdmin();
    const put = head('PUT /apisix/admin/services/1 HTTP/1.1', 'Transfer-Encoding: chunked');

    expect(await exchange(admin, `${put}zz\r\n`)).toContain('{"error_msg":"malformed request"}');
    await expectAlive(admin);
  });
});

describe('slow and half-open clients', () => {
  test.for([
    ['says nothing', ''],
    ['stops within the headers', 'GET /apisix/admin HTTP/1.1\r\nHost: x\r\n'],
    ['stops within the body', head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 100')],
  ] as const)('a client that %s is let go', async ([_claim, bytes]) => {
    await using admin = await openAdmin({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 });

    const reply = await exchange(admin, bytes);

    expect(reply).toMatch(/^HTTP\/1.1 408 [^]*{"error_msg":"the request took too long"}\n$/);
    await expectAlive(admin);
  });

  test('a body that is complete too late is not stored', async () => {
    await using admin = await openAdmin({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 });
    const socket = connect({ port: admin.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 2'));
    const [answer] = await once(socket, 'data');

    socket.end('{}');
    await once(socket, 'close');

    expect(String(answer)).toContain('408 ');
    expect(await admin.store.writer.get('services/1')).toBeUndefined();
  });

  test('a client that rests longer than allowed between requests is let go', async () => {
    await using admin = await openAdmin({ keepAliveTimeoutMs: 50 });

    expect(await exchange(admin, list)).toContain('{"total":0,"list":[]}');
  });

  test('a client that does not read its answer is let go', async () => {
    const admin = await openAdmin({ socketTimeoutMs: 50, closeGraceMs: 600_000 });
    // More than the buffers between the two hold.
    const desc = 'x'.repeat(1_000_000);
    for (let id = 1; id <= 16; id += 1)
      await admin.store.writer.put(`services/${id}`, JSON.stringify({ desc }));
    const socket = await dial(admin);
    socket.pause().write(list.replace('upstreams', 'services'));

    // Done only when there is no connection left.
    await admin.close();

    socket.destroy();
  });

  test('a client that leaves within a body is nothing to log', async () => {
    await using admin = await openAdmin();
    const socket = await dial(admin);
    socket.write(
      `${head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 100', 'Expect: 100-continue')}{`,
    );
    // The interim answer shows that the request has begun.
    await once(socket, 'data');

    socket.resetAndDestroy();
    await once(socket, 'close');

    await expectAlive(admin);
    expect(admin.logged).toEqual([]);
  });

  test('connections above the limit are closed at once', async () => {
    await using admin = await openAdmin({ maxConnections: 2 });
    const open = [await dial(admin), await dial(admin)];

    const third = await dial(admin);
    third.on('error', () => {
      // A reset is as good as an end here.
    });
    await once(third.resume(), 'close');
    for (const socket of open) {
      socket.end(list.replace('Host', 'Connection: close\r\nHost'));
      expect(await text(socket)).toContain('200 OK');
    }
  });
});

describe('connections', () => {
  test('serve one request after the other, in order', async () => {
    await using admin = await openAdmin();
    const put = head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 2');
    const last = head('GET /apisix/admin/services/1 HTTP/1.1', 'Connection: close');

    const reply = await exchange(admin, `${list}${put}{}${last}`);

    expect(reply.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 201', 'HTTP/1.1 200']);
  });

  test('get one answer at a time, however many requests came at once', async () => {
    const asked: string[] = [];
    await using admin = await openAdmin({ onRequest: ({ target = '' }) => asked.push(target) });
    const desc = 'x'.repeat(1_000_000);
    for (let id = 1; id <= 16; id += 1)
      await admin.store.writer.put(`services/${id}`, JSON.stringify({ desc }));
    const socket = await dial(admin);
    socket.write(list.replace('upstreams', 'services').repeat(100));
    await once(socket, 'data');
    socket.pause();

    // The first answer is more than the buffers between the two hold, so no other one is begun.
    await expectAlive(admin);
    socket.resetAndDestroy();

    await expect.poll(() => asked).toEqual(['/apisix/admin/upstreams', '/apisix/admin/services']);
  });

  test('go on after a body that was too large', async () => {
    await using admin = await openAdmin();
    const size = 2_000_000;
    const put = head('PUT /apisix/admin/services/1 HTTP/1.1', `Content-Length: ${size}`);
    const last = head('GET /apisix/admin/services HTTP/1.1', 'Connection: close');

    const reply = await exchange(admin, `${put}${' '.repeat(size)}${last}`);

    expect(reply.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 200']);
  });
});

describe('every request is told of once,', () => {
  test.for([
    ['one that is answered', list, [['GET', '/apisix/admin/upstreams', 200, 22]]],
    [
      'one that needs a body that never ends',
      head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 9'),
      [['PUT', '/apisix/admin/services/1', 408, 42]],
    ],
    ['what is no request', 'junk\r\n\r\n', [[undefined, undefined, 400, 34]]],
    ['headers that never end', 'GET / HTTP/1.1\r\n', [[undefined, undefined, 408, 42]]],
  ] as const)('%s', async ([_claim, bytes, told]) => {
    const records: unknown[] = [];
    const admin = await openAdmin({
      headersTimeoutMs: 1000,
      requestTimeoutMs: 1000,
      keepAliveTimeoutMs: 1,
      onRequest: ({ method, target, status, bytes: sent }) => records.push([method, target, status, sent]),
    });

    await exchange(admin, bytes);
    await admin.close();

    await expect.poll(() => records).toEqual(told);
  });

  test('one whose client leaves before the answer, with 499', async () => {
    const told = Promise.withResolvers<unknown>();
    await using admin = await openAdmin({ onRequest: told.resolve });
    const socket = await dial(admin);
    socket.write(
      head('PUT /apisix/admin/services/1 HTTP/1.1', 'Content-Length: 100', 'Expect: 100-continue'),
    );
    await once(socket, 'data');

    socket.resetAndDestroy();

    expect(await told.promise).toMatchObject({ method: 'PUT', status: 499, remoteAddress: '127.0.0.1' });
  });
});

describe('an error of the store', () => {
  test('is answered with 503 and logged', async () => {
    await using admin = await openAdmin();
    await admin.store.close();

    const reply = await admin.send('PUT', '/services/1', '{}');

    expect([reply.status, reply.text]).toEqual([503, '{"error_msg":"The memory store is closed."}\n']);
    expect(admin.logged).toEqual(['Admin API: request failed']);
  });

  test('that we did not foresee is answered with 500 and no details', async () => {
    await using admin = await openAdmin({
      now: () => {
        throw new TypeError('the clock is broken');
      },
    });

    const reply = await admin.send('PUT', '/services/1', '{}');

    expect([reply.status, reply.text]).toEqual([500, '{"error_msg":"internal error"}\n']);
    await expectAlive(admin);
  });
});

describe('listening and closing', () => {
  test('a port in use is an error with a code', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    await expect(openAdmin({ port })).rejects.toMatchObject({
      code: 'LISTENER_PORT_IN_USE',
      message: expect.stringContaining(`the Admin API (deployment.admin) cannot listen on 127.0.0.1:${port}`),
    });
    holder.close();
  });

  test('an address that is not ours is an error with a code', async () => {
    await expect(openAdmin({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'LISTENER_FAILED' });
  });

  test('an IPv6 listener knows its clients by their IPv4 addresses', async () => {
    await using admin = await openAdmin({ host: '::', allowAdmin: ['127.0.0.0/24'] });

    await expectAlive(admin);
  });

  test('closing lets go of idle and silent clients, twice', async () => {
    const admin = await openAdmin({ closeGraceMs: 50 });
    const [silent, idle] = [await dial(admin), await dial(admin)];
    idle.write(list);
    await once(idle, 'data');

    await Promise.all([admin.close(), once(silent.resume(), 'close'), once(idle.resume(), 'close')]);

    await admin.close();
    await expect(dial(admin)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('closing answers the request in progress', async () => {
    const begun = Promise.withResolvers<void>();
    const reloaded = Promise.withResolvers<void>();
    const admin = await openAdmin({
      reloadPlugins: () => {
        begun.resolve();
        return reloaded.promise;
      },
    });
    const reply = admin.send('PUT', '/plugins/reload');
    await begun.promise;

    const closed = admin.close();
    reloaded.resolve();

    expect((await reply).text).toBe('done');
    await closed;
  });
});
