import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { HealthReport } from '@apisix-ts/core';
import { DatagramPeer, countDescriptors, freePort, makeCertificate, openServer } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checksOf } from '../testing/checks-of.ts';
import { compileChecks } from './check-plan.ts';
import { startProbe } from './probe.ts';
import type { ProbeTrust } from './probe.ts';

type Outcome = HealthReport | 'nothing';

/** @returns stops the probe. */
function start(active: object, port: number, reports: unknown[]): () => void {
  const plan = compileChecks(checksOf({ active })).probe;
  const node = { host: '127.0.0.1', address: '127.0.0.1', port };
  return startProbe(plan, node, (report) => void reports.push(report));
}

function probe(active: object, port: number, { host = '127.0.0.1', trust = {} } = {}): Promise<Outcome> {
  const plan = compileChecks(checksOf({ active })).probe;
  const node = { host, address: '127.0.0.1', port };
  return new Promise((resolve) => {
    startProbe(plan, node, (report) => resolve(report ?? 'nothing'), trust);
  });
}

async function openTestServer(): Promise<TestServer> {
  const server = await openServer();
  onTestFinished(() => server.close());
  return server;
}

describe('a tcp probe', () => {
  test('is a success when it connects, and sends nothing', async () => {
    const server = await openTestServer();

    expect(await probe({ type: 'tcp' }, server.port)).toBe('success');
    expect(await (await server.accept()).rest()).toMatchObject({ bytes: 0, ending: 'end' });
  });

  test('is a failure when the port is closed', async () => {
    expect(await probe({ type: 'tcp' }, await freePort())).toBe('tcp_failure');
  });

  test('goes to the port of the checks instead of the node', async () => {
    const server = await openTestServer();

    expect(await probe({ type: 'tcp', port: server.port }, await freePort())).toBe('success');
  });
});

describe('a tcp probe that sends and expects', () => {
  const ping = { type: 'tcp', send: 'PING\r\n', expect: '+PONG' };

  test('is a success when the answer to what it sent fits', async () => {
    const server = await openTestServer();
    const outcome = probe(ping, server.port);
    const peer = await server.accept();

    expect((await peer.take(6)).toString()).toBe('PING\r\n');
    await peer.send('+PO');
    await peer.send('NG\r\n');
    expect(await outcome).toBe('success');
  });

  test('waits for a server that speaks first, and sends nothing', async () => {
    const server = await openTestServer();
    const greeting = { type: 'tcp', expect: { hex: '00 0a', match: 'anywhere' } };
    const outcome = probe(greeting, server.port);
    const peer = await server.accept();

    await peer.send(Buffer.from('4a0000000a', 'hex'));
    expect(await outcome).toBe('success');
    expect(await peer.rest()).toMatchObject({ bytes: 0 });
  });

  test.for([
    ['answers otherwise', (peer: Peer) => peer.send('-LOADING Redis is loading')],
    ['ends without an answer', (peer: Peer) => peer.end()],
    ['ends within the answer', (peer: Peer) => peer.end(Buffer.from('+PO'))],
    ['resets', (peer: Peer) => peer.reset()],
  ] as const)('is a failure when the server %s', async ([, act]) => {
    const server = await openTestServer();
    const outcome = probe(ping, server.port);
    const peer = await server.accept();
    await peer.take(6);
    await act(peer);

    expect(await outcome).toBe('tcp_failure');
  });

  test('is a success when its bytes are gone, where nothing is expected', async () => {
    const server = await openTestServer();

    expect(await probe({ type: 'tcp', send: { hex: '01 02' } }, server.port)).toBe('success');
    expect(await (await server.accept()).rest()).toMatchObject({ bytes: 2, ending: 'end' });
  });
});

describe('a udp probe', () => {
  const question = { type: 'udp', send: { hex: 'abcd 0100' }, expect: { hex: 'abcd 81' } };

  /** A server that answers each datagram with these. */
  async function openAnswering(...answers: readonly string[]): Promise<DatagramPeer> {
    const server = await DatagramPeer.open({
      onDatagram({ port }, peer) {
        for (const answer of answers) void peer.send(Buffer.from(answer, 'hex'), port);
      },
    });
    onTestFinished(() => server.close());
    return server;
  }

  test('sends its datagram', async () => {
    const server = await DatagramPeer.open();
    onTestFinished(() => server.close());

    const stop = start(question, server.port, []);
    onTestFinished(stop);

    expect((await server.take()).bytes).toEqual(Buffer.from('abcd0100', 'hex'));
  });

  test('sends an empty one when it has nothing to say', async () => {
    const server = await DatagramPeer.open();
    onTestFinished(() => server.close());

    const stop = start({ type: 'udp' }, server.port, []);
    onTestFinished(stop);

    expect((await server.take()).bytes).toHaveLength(0);
  });

  test.for([
    ['that fits', question, ['abcd8180'], 'success'],
    ['that does not fit', question, ['abcd0100'], 'tcp_failure'],
    ['that is too short', question, ['abcd'], 'tcp_failure'],
    ['of which the first does not fit', question, ['00', 'abcd8180'], 'tcp_failure'],
    ['of any kind, where nothing is expected', { type: 'udp' }, [''], 'success'],
  ] as const)('with an answer %s', async ([, active, answers, outcome]) => {
    const server = await openAnswering(...answers);

    expect(await probe(active, server.port)).toBe(outcome);
  });

  test('is a failure when the machine refuses the datagram', async () => {
    expect(await probe({ type: 'udp' }, await freePort())).toBe('tcp_failure');
  });
});

/** Probes a server that does this with the connection when it has the first byte of the request. */
async function answerWith(act: (peer: Peer) => unknown, active: object = {}): Promise<Outcome> {
  const server = await openTestServer();
  const outcome = probe({ healthy: {}, unhealthy: {}, ...active }, server.port);
  const peer = await server.accept();
  await peer.take(1);
  await act(peer);
  const report = await outcome;
  await peer.rest();
  peer.end();
  await peer.closed;
  return report;
}

describe('an http probe', () => {
  test.for([
    ['a status of the healthy list', 'HTTP/1.1 302 Found\r\n\r\n', 'success'],
    ['a status of the unhealthy list', 'HTTP/1.1 503 Busy\r\n\r\n', 'http_failure'],
    ['a status of neither list', 'HTTP/1.1 418 Teapot\r\n\r\n', 'nothing'],
    ['an older version', 'HTTP/1.0 200 OK\r\n\r\n', 'success'],
    ['a status without a reason', 'HTTP/1.1 200\r\n\r\n', 'success'],
    [
      'an interim answer before the final one',
      'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 500 No\r\n\r\n',
      'http_failure',
    ],
    ['an upgrade', 'HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'nothing'],
    ['a body that does not end', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1', 'success'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'http_failure'],
    ['a status that is no number', 'HTTP/1.1 fine OK\r\n\r\n', 'http_failure'],
  ] as const)('reports %s', async ([, answer, report]) => {
    expect(await answerWith((peer) => peer.send(answer))).toBe(report);
  });

  test('counts a status of both lists as a success', async () => {
    const lists = { healthy: { http_statuses: [404] }, unhealthy: { http_statuses: [404] } };

    expect(await answerWith((peer) => peer.send('HTTP/1.1 404 No\r\n\r\n'), lists)).toBe('success');
  });

  test.for([
    ['ends without an answer', (peer: Peer) => peer.end()],
    ['ends within the status line', (peer: Peer) => peer.end(Buffer.from('HTTP/1.1 2'))],
    ['resets', (peer: Peer) => peer.reset()],
  ] as const)('is a tcp failure when the server %s', async ([, act]) => {
    const server = await openTestServer();
    const outcome = probe({}, server.port);
    const peer = await server.accept();
    await peer.take(1);
    act(peer);

    expect(await outcome).toBe('tcp_failure');
  });

  test('is a tcp failure when the port is closed', async () => {
    expect(await probe({}, await freePort())).toBe('tcp_failure');
  });

  test('takes the answer to CONNECT', async () => {
    const connect = { http_method: 'CONNECT', http_path: 'db.test:80' };

    expect(await answerWith((peer) => peer.send('HTTP/1.1 200 OK\r\n\r\n'), connect)).toBe('success');
  });

  test.for([
    ['nothing but the defaults', {}, 'GET / HTTP/1.1\r\nConnection: close\r\nHost: db.test\r\n\r\n'],
    [
      'everything',
      {
        host: 'checks.test',
        http_method: 'POST',
        http_path: '/health?full=1',
        http_req_body: 'ping',
        req_headers: ['X-Probe: yes', 'User-Agent: gateway'],
      },
      'POST /health?full=1 HTTP/1.1\r\nConnection: close\r\nX-Probe: yes\r\nUser-Agent: gateway\r\n' +
        'Content-Length: 4\r\nHost: checks.test\r\n\r\nping',
    ],
    [
      'an empty body',
      { http_method: 'PURGE' },
      'PURGE / HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\nHost: db.test\r\n\r\n',
    ],
  ] as const)('sends %s as configured', async ([, active, request]) => {
    const server = await openTestServer();
    const outcome = probe(active, server.port, { host: 'db.test' });
    const peer = await server.accept();

    expect(Buffer.from(await peer.take(request.length)).toString()).toBe(request);
    await peer.send('HTTP/1.1 200 OK\r\n\r\n');
    expect(await outcome).toBe('success');
    expect(await peer.rest()).toMatchObject({ bytes: 0 });
  });
});

const { key, cert } = await makeCertificate({ names: ['db.test', '127.0.0.1'] });

interface TlsServer {
  readonly port: number;
  /** The names that clients asked for; `false` is none. */
  readonly names: readonly (string | false)[];
}

async function openTls(): Promise<TlsServer> {
  const names: (string | false)[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    if (request.socket instanceof TLSSocket) names.push(request.socket.servername ?? false);
    response.end();
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return { port: address.port, names };
}

describe('an https probe', () => {
  const trusted: ProbeTrust = { ca: cert };

  test.for([
    ['its name is in a trusted certificate', { host: 'db.test' }, trusted, 'success', 'db.test'],
    [
      'its name with a port is in a trusted certificate',
      { host: 'db.test:8443' },
      trusted,
      'success',
      'db.test',
    ],
    ['its address is in a trusted certificate', {}, trusted, 'success', false],
    ['nobody verifies', { host: 'other.test', https_verify_certificate: false }, {}, 'success', 'other.test'],
  ] as const)('is a success when %s', async ([, active, trust, report, name]) => {
    const server = await openTls();

    expect(await probe({ type: 'https', healthy: {}, ...active }, server.port, { trust })).toBe(report);
    expect(server.names).toEqual([name]);
  });

  test.for([
    ['the certificate is not trusted', { host: 'db.test' }, {}],
    ['the certificate is for another name', { host: 'other.test' }, trusted],
    ['the certificate is for another address', { host: '192.0.2.9' }, trusted],
  ] as const)('is a tcp failure when %s', async ([, active, trust]) => {
    const server = await openTls();

    expect(await probe({ type: 'https', ...active }, server.port, { trust })).toBe('tcp_failure');
    expect(server.names).toEqual([]);
  });

  test('is a tcp failure when the server does not speak TLS', async () => {
    const plain = { type: 'https', https_verify_certificate: false };

    expect(await answerWith((peer) => peer.send('HTTP/1.1 200 OK\r\n\r\n'), plain)).toBe('tcp_failure');
  });
});

describe('a probe that is stopped', () => {
  test.for(['http', 'https'] as const)('closes its %s connection and reports nothing', async (type) => {
    const server = await openTestServer();
    const reports: unknown[] = [];
    const stop = start({ type }, server.port, reports);
    const peer = await server.accept();

    stop();
    stop();

    await peer.rest();
    expect(reports).toEqual([]);
  });

  test.for(['tcp', 'http', 'https'] as const)('at once reports nothing: %s', async (type) => {
    const server = await openTestServer();
    const reports: unknown[] = [];

    start({ type }, server.port, reports)();

    expect(await probe({ type: 'tcp' }, server.port)).toBe('success');
    expect(reports).toEqual([]);
  });
});

test('probes leave no descriptors behind, whatever came of them', async () => {
  const server = await openTestServer();
  const closedPort = await freePort();
  const before = countDescriptors();

  for (let round = 0; round < 20; round += 1) {
    const answered = probe({}, server.port);
    const refused = probe({ type: 'tcp' }, closedPort);
    const peer = await server.accept();
    await peer.send('HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    await Promise.all([answered, refused]);
    await peer.rest();
    peer.end();
    await peer.closed;
  }

  expect(countDescriptors()).toBe(before);
});
