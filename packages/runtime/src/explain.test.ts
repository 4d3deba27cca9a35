import { makeCertificate } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';

const node = (port: number, fields: object = {}): object => ({
  host: '127.0.0.1',
  port,
  weight: 1,
  ...fields,
});

test.for([0, 2])('a worker tells what it would do with a connection, with %i threads', async (workers) => {
  const opened = await openGateway({ workers });
  const { gateway, port } = opened;
  await opened.put('upstreams/db', {
    type: 'least_conn',
    nodes: [node(3306), node(3307, { weight: 0 }), node(3308, { priority: -1 })],
  });
  await opened.put('services/s', { upstream_id: 'db' });
  await opened.put('stream_routes/a', { server_port: port, service_id: 's' });
  await opened.put('stream_routes/b', {
    remote_addr: '127.0.0.0/8',
    upstream: { nodes: { '127.0.0.1:1': 1 } },
  });
  await opened.put('stream_routes/c', { sni: 'x.test', server_addr: '10.0.0.0/8', upstream_id: 'db' });

  const { connection, listener, tls, verdicts, upstream, ...rest } = await gateway.explain({
    protocol: 'tcp',
    serverPort: port,
    limit: 10,
  });

  expect(connection).toEqual({
    protocol: 'tcp',
    serverPort: port,
    serverAddress: '127.0.0.1',
    remoteAddress: '127.0.0.1',
  });
  expect([listener?.name, tls]).toEqual([`127.0.0.1:${port}`, 'unread']);
  expect(verdicts.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['a', { kind: 'wins' }],
    ['b', { kind: 'loses', by: 'serverPort' }],
    ['c', { kind: 'misses', on: ['serverName', 'serverAddr'] }],
  ]);
  expect(verdicts[2]).toMatchObject({ serverNames: ['x.test'], serverAddr: '10.0.0.0/8' });
  expect(upstream).toMatchObject({ key: 'upstreams/db', type: 'least_conn', isTls: false });
  expect(
    upstream?.nodes.map(({ port: each, isInTurn, isHealthy, active }) => [each, isInTurn, isHealthy, active]),
  ).toEqual([
    [3306, true, true, 0],
    [3307, false, true, 0],
    [3308, false, true, 0],
  ]);
  expect(rest).toEqual({ isListenerDrained: false, matching: 2, missing: 1, drained: [], plugins: [] });
});

describe('it tells why a connection is closed at once:', () => {
  test.for([
    ['no route takes it', {}, 'ROUTE_NOT_FOUND'],
    ['the route has no upstream', { 'stream_routes/1': {} }, 'UPSTREAM_NOT_CONFIGURED'],
    ['the upstream has no node', { 'stream_routes/1': { upstream: { nodes: {} } } }, 'UPSTREAM_NO_NODE'],
    ['nothing is wrong', { 'stream_routes/1': { upstream: { nodes: { '127.0.0.1:1': 1 } } } }, undefined],
  ] as const)('%s', async ([_claim, resources, refusal]) => {
    const opened = await openGateway({ workers: 0 });
    const { gateway, port } = opened;
    for (const [key, document] of Object.entries(resources)) await opened.put(key, document);

    expect((await gateway.explain({ protocol: 'tcp', serverPort: port, limit: 1 })).refusal).toBe(refusal);
  });
});

describe('TLS', () => {
  const ask = { protocol: 'tcp', limit: 1, serverName: 'db.test', alpn: ['h2'] } as const;

  test('that ends here is told with the certificate, or with its absence', async () => {
    const opened = await openGateway({ workers: 0, entry: { tls: true } });
    const { gateway, port } = opened;
    await opened.put('ssls/db', { sni: 'db.test', ...(await makeCertificate({ names: ['db.test'] })) });
    await opened.put('stream_routes/1', {
      sni: 'db.test',
      alpn: ['h2'],
      upstream: { nodes: { '127.0.0.1:1': 1 } },
    });

    const known = await gateway.explain({ ...ask, serverPort: port });
    const unknown = await gateway.explain({ ...ask, serverPort: port, serverName: 'x.test' });

    expect([known.tls, known.certificate, known.refusal]).toEqual(['terminated', 'db', undefined]);
    expect([unknown.tls, unknown.certificate, unknown.refusal]).toEqual([
      'terminated',
      undefined,
      'TLS_NAME_UNKNOWN',
    ]);
  });

  test('is passed on where the route of the name wants that', async () => {
    const opened = await openGateway({
      workers: 0,
      entry: { tls: true, tls_passthrough: true },
    });
    const { gateway, port } = opened;
    await opened.put('stream_routes/1', {
      sni: 'db.test',
      tls_passthrough: true,
      upstream: { nodes: { '127.0.0.1:1': 1 } },
    });

    const known = await gateway.explain({ ...ask, serverPort: port });
    const unknown = await gateway.explain({ ...ask, serverPort: port, serverName: 'x.test' });

    expect([known.tls, known.refusal, known.verdicts[0]?.verdict.kind]).toEqual([
      'passed-on',
      undefined,
      'wins',
    ]);
    expect(unknown.tls).toBe('terminated');
  });

  test('is not looked at on a plain listener, so its name decides nothing', async () => {
    const opened = await openGateway({ workers: 0 });
    const { gateway, port } = opened;
    await opened.put('stream_routes/1', { sni: 'db.test', upstream: { nodes: { '127.0.0.1:1': 1 } } });

    const { connection, tls, verdicts } = await gateway.explain({ ...ask, serverPort: port });

    expect([connection.serverName, tls]).toEqual([undefined, 'unread']);
    expect(verdicts[0]?.verdict).toEqual({ kind: 'misses', on: ['serverName'] });
  });
});

test('what is drained is told, and gets nothing', async () => {
  const opened = await openGateway({ workers: 1 });
  const { gateway, port } = opened;
  await opened.put('upstreams/db', { type: 'roundrobin', nodes: [node(1), node(2)] });
  await opened.put('stream_routes/first', { server_port: port, upstream_id: 'db' });
  await opened.put('stream_routes/second', { upstream_id: 'db' });
  const ask = { protocol: 'tcp', serverPort: port, limit: 5 } as const;

  await gateway.drains.start({ kind: 'route', name: 'first' });
  await gateway.drains.start({ kind: 'node', name: '127.0.0.1:1' });
  const one = await gateway.explain(ask);
  await gateway.drains.start({ kind: 'node', name: '127.0.0.1:2' });
  const both = await gateway.explain(ask);

  expect([one.drained, one.verdicts[0]?.id, one.refusal]).toEqual([['first'], 'second', undefined]);
  expect(one.upstream?.nodes.map(({ isDrained, isInTurn }) => [isDrained, isInTurn])).toEqual([
    [true, false],
    [false, true],
  ]);
  expect(both.refusal).toBe('UPSTREAM_NO_NODE');
});

test('plugins say what they can to one that somebody thinks of', async () => {
  const opened = await openGateway({ workers: 2 });
  const { gateway, port } = opened;
  const limit = { conn: 1, burst: 0, default_conn_delay: 1, key: 'remote_addr' };
  await opened.put('services/s', { plugins: { 'limit-conn': limit } });
  await opened.put('stream_routes/1', {
    plugins: { 'ip-restriction': { blacklist: ['192.0.2.1'] }, prometheus: {} },
    upstream: { nodes: { '127.0.0.1:1': 1 } },
    service_id: 's',
  });
  const ask = (remoteAddress: string): ReturnType<typeof gateway.explain> =>
    gateway.explain({ protocol: 'tcp', serverPort: port, remoteAddress, limit: 10 });

  const [welcome, unwelcome] = [await ask('192.0.2.2'), await ask('192.0.2.1')];

  expect(welcome).not.toHaveProperty('refusal');
  expect(welcome.plugins).toEqual([
    { plugin: 'ip-restriction', verdict: 'passes' },
    { plugin: 'limit-conn', verdict: 'open' },
  ]);
  expect(unwelcome.refusal).toBe('PLUGIN_REFUSED');
  expect(unwelcome.plugins).toEqual([
    { plugin: 'ip-restriction', verdict: 'refuses', status: 403, why: 'Your IP address is not allowed' },
  ]);
});

test('a listener that is drained is told as such, though it is closed', async () => {
  const opened = await openGateway({ workers: 1, entry: { tls: true }, udpHosts: ['127.0.0.1'] });
  const { gateway, port, udpPort } = opened;
  const tcp = { protocol: 'tcp', serverPort: port, limit: 1 } as const;
  const udp = { protocol: 'udp', serverPort: udpPort, limit: 1 } as const;
  const told = async (): Promise<unknown> =>
    (await Promise.all([gateway.explain(tcp), gateway.explain(udp)])).map((each) => [
      each.listener?.name,
      each.tls,
      each.isListenerDrained,
    ]);

  await gateway.drains.start({ kind: 'listener', name: String(port) });
  await gateway.drains.start({ kind: 'listener', name: String(udpPort) });
  const drained = await told();
  await gateway.reload(opened.withEntry({ tls: true }));
  const reloaded = await told();
  await gateway.drains.undo({ kind: 'listener', name: String(port) });
  await gateway.drains.undo({ kind: 'listener', name: String(udpPort) });
  const undone = await told();

  const [tcpName, udpName] = [`127.0.0.1:${port}`, `127.0.0.1:${udpPort}/udp`];
  const isDrained = [
    [tcpName, 'terminated', true],
    [udpName, 'unread', true],
  ];
  expect([drained, reloaded]).toEqual([isDrained, isDrained]);
  expect(undone).toEqual([
    [tcpName, 'terminated', false],
    [udpName, 'unread', false],
  ]);
});

test('UDP has listeners of its own, and neither TLS nor unix sockets', async () => {
  const opened = await openGateway({ workers: 0, udpHosts: ['127.0.0.1'] });
  const { gateway, port } = opened;
  await opened.put('stream_routes/1', { upstream: { scheme: 'tls', nodes: { '127.0.0.1:1': 1 } } });
  const ask = { protocol: 'udp', limit: 1 } as const;

  const there = await gateway.explain({ ...ask, serverPort: opened.udpPort });
  const nowhere = await gateway.explain({ ...ask, serverPort: port });

  expect([there.listener?.name, there.refusal]).toEqual([
    `127.0.0.1:${opened.udpPort}/udp`,
    'UPSTREAM_NO_NODE',
  ]);
  expect([nowhere.listener, nowhere.verdicts[0]?.verdict.kind]).toEqual([undefined, 'wins']);
});

test('a connection to an address that nothing listens on has no listener', async () => {
  const { gateway, port } = await openGateway({ workers: 0 });
  const ask = { protocol: 'tcp', serverPort: port, limit: 1 } as const;

  const other = await gateway.explain({ ...ask, serverAddress: '127.0.0.2' });
  const own = await gateway.explain({ ...ask, serverAddress: '::ffff:127.0.0.1' });

  expect([other.listener?.name, own.listener?.name]).toEqual([undefined, `127.0.0.1:${port}`]);
});

test('a gateway that has ended has nobody to ask', async () => {
  const { gateway, port } = await openGateway({ workers: 1 });
  await gateway.close();

  await expect(gateway.explain({ protocol: 'tcp', serverPort: port, limit: 1 })).rejects.toMatchObject({
    code: 'WORKER_DIED',
  });
});
