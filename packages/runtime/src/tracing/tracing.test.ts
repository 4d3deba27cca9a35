import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DatagramPeer,
  connectPeer,
  eventually,
  freePort,
  openDatagramEcho,
  openEcho,
} from '@apisix-ts/testkit';
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openGateway } from '../testing/open-gateway.ts';
import { toPlainSpan } from '../testing/plain-span.ts';
import type { PlainSpan } from '../testing/plain-span.ts';

/** The real SDK in this thread, for gateways without others. */
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);

beforeEach(() => exporter.reset());

/** The spans of one session, once it is over: the session's own is the last to end. */
async function spansOfSession(): Promise<readonly PlainSpan[]> {
  return vi.waitFor(() => {
    const spans = exporter.getFinishedSpans().map(toPlainSpan);
    expect(spans.at(-1)?.name).toMatch(/session$/);
    return spans;
  }, eventually);
}

test('a session is a trace: accept, match, a dial for each attempt, relay, and the session around them', async () => {
  const echo = await openEcho();
  const deadPort = await freePort();
  const opened = await openGateway({ workers: 0, tracing: { enable: true } });
  await opened.put('stream_routes/r', {
    upstream: {
      nodes: [
        { host: '127.0.0.1', port: deadPort, weight: 1, priority: 1 },
        { host: '127.0.0.1', port: echo.port, weight: 1, priority: 0 },
      ],
    },
  });

  const client = await connectPeer(opened.port);
  const clientPort = client.localPort;
  await client.send('12345');
  await client.take(5);
  client.end();
  await client.rest();
  const spans = await spansOfSession();

  const session = spans.at(-1);
  const peer = { 'network.peer.address': '127.0.0.1', 'network.peer.port': clientPort };
  expect(spans.map(({ name, kind, status }) => [name, kind, status])).toEqual([
    ['accept', 'INTERNAL', 'UNSET'],
    ['match', 'INTERNAL', 'UNSET'],
    ['dial', 'CLIENT', 'ERROR'],
    ['dial', 'CLIENT', 'UNSET'],
    ['relay', 'INTERNAL', 'UNSET'],
    ['tcp session', 'SERVER', 'UNSET'],
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans.map(({ parent }) => parent)).toEqual([...Array(5).fill(session?.spanId), undefined]);
  expect(session?.attributes).toEqual({
    'network.transport': 'tcp',
    'network.type': 'ipv4',
    ...peer,
    'client.address': '127.0.0.1',
    'client.port': clientPort,
    'server.address': '127.0.0.1',
    'server.port': opened.port,
    'apisix.listener': `127.0.0.1:${opened.port}`,
    'apisix.route_id': 'r',
    'apisix.reason': 'OK',
    'apisix.bytes_received': 5,
    'apisix.bytes_sent': 5,
  });
  expect(spans[2]?.attributes).toEqual({
    'network.transport': 'tcp',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': deadPort,
    'server.address': '127.0.0.1',
    'server.port': deadPort,
    'error.type': 'UPSTREAM_CONNECT_REFUSED',
  });
  await echo.close();
});

test('a session that fails says why', async () => {
  const opened = await openGateway({ workers: 0, tracing: { enable: true } });

  await (await connectPeer(opened.port)).rest();
  const spans = await spansOfSession();

  expect(spans.map(({ name, status }) => [name, status])).toEqual([
    ['accept', 'UNSET'],
    ['match', 'ERROR'],
    ['tcp session', 'ERROR'],
  ]);
  expect(spans.at(-1)?.attributes).toMatchObject({
    'error.type': 'ROUTE_NOT_FOUND',
    'apisix.reason': 'ROUTE_NOT_FOUND',
  });
});

test('a UDP session has no dial', async () => {
  const echo = await openDatagramEcho();
  const opened = await openGateway({ workers: 0, udpHosts: ['127.0.0.1'], tracing: { enable: true } });
  await opened.put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });

  const client = await DatagramPeer.open();
  await client.ask('12345', opened.udpPort);
  await opened.gateway.close();
  const spans = await spansOfSession();

  expect(spans.map(({ name }) => name)).toEqual(['accept', 'match', 'relay', 'udp session']);
  expect(spans.at(-1)?.attributes).toMatchObject({
    'network.transport': 'udp',
    'apisix.reason': 'SESSION_CLOSED_BY_SHUTDOWN',
    'apisix.bytes_received': 5,
  });
  await client.close();
  await echo.close();
});

test.for([
  ['it is off', { enable: false }],
  ['no session is drawn', { enable: true, sample_ratio: 0 }],
] as const)('there are no spans where %s', async ([, tracing]) => {
  const opened = await openGateway({ workers: 0, tracing });

  await (await connectPeer(opened.port)).rest();
  await vi.waitFor(
    () => expect(opened.gateway.counts().sessionsEnded.get('ROUTE_NOT_FOUND')).toBe(1),
    eventually,
  );

  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('each worker imports the module, and calls its shutdown after the last session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spans-'));
  const file = join(folder, 'spans.jsonl');
  vi.stubEnv('TEST_SPANS_FILE', file);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  const register = fileURLToPath(new URL('../testing/register-tracing.ts', import.meta.url));
  const opened = await openGateway({ workers: 2, tracing: { enable: true, register } });

  const clients = await Promise.all(Array.from({ length: 20 }, () => connectPeer(opened.port)));
  await Promise.all(clients.map((client) => client.rest()));
  await opened.gateway.close();

  const names = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as PlainSpan).name);
  expect(names.filter((name) => name === 'tcp session')).toHaveLength(20);
  expect(names).toHaveLength(60);
});

test.for([0, 1])(
  'a module that cannot be imported is told of at the start, with %i threads',
  async (workers) => {
    await expect(
      openGateway({ workers, tracing: { enable: true, register: '/nowhere/register.mjs' } }),
    ).rejects.toMatchObject({
      code: 'TRACING_MODULE_FAILED',
      message: expect.stringContaining('/nowhere/register.mjs') as string,
    });
  },
);
