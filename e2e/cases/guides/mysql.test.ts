import { createHash } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { makeCertificate, startDnsServer, startEtcd } from '@apisix-ts/testkit';
import type { DnsServer, EtcdServer } from '@apisix-ts/testkit';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { connectMysql, runMysqlCli } from '../../testbed/mysql-client.ts';
import type { MysqlLogin } from '../../testbed/mysql-client.ts';
import { startMysql } from '../../testbed/mysql-server.ts';
import type { MysqlServer } from '../../testbed/mysql-server.ts';

/** 50 MB that no compression and no shortcut makes smaller. */
const bulk = createHash('shake256', { outputLength: 37_500_000 }).update('mysql').digest('base64');

let leaks: LeakCheck;
let mysql: MysqlServer;
let dns: DnsServer;
let etcd: EtcdServer;

beforeAll(async () => {
  leaks = openLeakCheck();
  mysql = await startMysql();
  dns = await startDnsServer({ names: { mysql: [mysql.host] } });
  etcd = await startEtcd();
});

afterAll(async () => {
  await Promise.all([mysql.stop(), dns.close(), etcd.close()]);
  expect(await leaks.leftovers()).toEqual([]);
});

const stores = [
  { store: 'embedded', deployment: () => '' },
  { store: 'etcd', deployment: () => `etcd: { host: ["${etcd.endpoint}"] }` },
];

/** The steps of docs/guides/mysql.md, in order, each on what the one before left. */
describe.for(stores)('the MySQL guide with the $store store', ({ deployment }) => {
  let gateway: GatewayInstallation;
  let through: MysqlLogin;
  let before: Connection;

  beforeAll(async () => {
    gateway = await createGatewayInstallation();
    const { user, password } = mysql;
    through = { host: '127.0.0.1', port: gateway.streamPort, user, password };
  });

  afterAll(async () => {
    before?.destroy();
    await gateway.remove();
  });

  const route = (conditions: object = {}): object => ({
    id: 'stream-route-mysql',
    ...conditions,
    upstream: { nodes: { [`mysql:${mysql.port}`]: 1 }, type: 'roundrobin' },
  });

  test('starts without a stream port', async () => {
    await gateway.configure(`proxy_mode: http\ndns_resolver: ["${dns.server}"]`, deployment());

    await gateway.apisixOk('start');

    expect(await gateway.admin('GET', '/stream_routes')).toMatchObject({
      status: 400,
      body: { error_msg: 'stream mode is disabled, can not add stream routes' },
    });
    await expect(connectMysql(through)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('opens the stream port on reload', async () => {
    await gateway.configure(
      `proxy_mode: http&stream
dns_resolver: ["${dns.server}"]
stream_proxy:
  tcp:
    - ${gateway.streamPort}`,
      deployment(),
    );

    await gateway.apisixOk('reload');

    // Listening, but without a route every client is closed.
    await expect(connectMysql(through)).rejects.toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' });
  });

  test('takes the stream route', async () => {
    expect(await gateway.put('/stream_routes', route())).toMatchObject({
      status: 201,
      body: { key: '/apisix/stream_routes/stream-route-mysql', value: { id: 'stream-route-mysql' } },
    });
  });

  test('lets the command-line client log in and query', async () => {
    expect(await runMysqlCli(through, 'SELECT 6 * 7; SELECT CURRENT_USER();')).toEqual({
      status: 0,
      stdout: '42\nroot@%\n',
      stderr: '',
    });
  });

  /** A session through the gateway that ends with its test. */
  async function openSession(): Promise<Connection> {
    const connection = await connectMysql(through);
    onTestFinished(() => connection.destroy());
    return connection;
  }

  test('lets mysql2 log in, query, and run prepared statements', async () => {
    const connection = await openSession();

    const [rows] = await connection.query('SELECT 6 * 7 AS answer');
    const [prepared] = await connection.execute('SELECT CONCAT(?, ?) AS text', ['stream ', 'route']);

    expect(rows).toEqual([{ answer: 42 }]);
    expect(prepared).toEqual([{ text: 'stream route' }]);
  });

  test('lets both clients encrypt to the server, from end to end', async () => {
    const question = "SHOW STATUS LIKE 'Ssl_cipher'";
    // The server made its certificate by itself.
    const connection = await connectMysql(through, { ssl: { rejectUnauthorized: false } });
    onTestFinished(() => connection.destroy());

    const [rows] = await connection.query(question);
    const cli = await runMysqlCli(through, question, ['--ssl']);

    expect(rows).toEqual([{ Variable_name: 'Ssl_cipher', Value: expect.stringMatching(/^(TLS|ECDHE)/) }]);
    expect(cli).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Ssl_cipher\t(TLS|ECDHE)/) });
  });

  test('moves 50 MB each way, byte for byte', async () => {
    const connection = await openSession();

    const [rows] = await connection.query('SELECT ? AS echo, SHA2(?, 256) AS digest', [bulk, bulk]);

    const [row] = Array.isArray(rows) ? rows : [];
    expect(row).toMatchObject({ digest: createHash('sha256').update(bulk).digest('hex') });
    // Compared here: a difference of 50 MB is nothing to print.
    expect(row !== undefined && 'echo' in row && row['echo'] === bulk).toBe(true);
  });

  test('holds 50 sessions at once', async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, openSession));

    const ids = await Promise.all(
      connections.map(async (connection) =>
        JSON.stringify((await connection.query('SELECT CONNECTION_ID()'))[0]),
      ),
    );

    expect(new Set(ids).size).toBe(50);
  });

  test('closes new clients when the route wants another port, and leaves open sessions alone', async () => {
    before = await connectMysql(through);

    await gateway.put('/stream_routes', route({ server_addr: '127.0.0.1', server_port: 2000 }));

    // The system error 110 would be the client's own time-out.
    expect(await runMysqlCli(through, 'SELECT 1')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ERROR 2013 .*Lost connection(?!.*error: 110)/),
    });
    await expect(connectMysql(through)).rejects.toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' });
    expect((await before.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }]);
  });

  test('connects clients again when address and port match', async () => {
    await gateway.put('/stream_routes', route({ server_addr: '127.0.0.1', server_port: gateway.streamPort }));

    expect(await runMysqlCli(through, 'SELECT 1')).toMatchObject({ status: 0, stdout: '1\n' });
    expect((await before.query('SELECT 2 AS two'))[0]).toEqual([{ two: 2 }]);
  });

  test('quits when the last session has ended', async () => {
    const quit = gateway.apisixOk('quit');
    expect((await before.query('SELECT 3 AS three'))[0]).toEqual([{ three: 3 }]);
    await before.end();

    await quit;

    expect(await gateway.apisix('stop')).toMatchObject({ status: 1 });
    expect(await gateway.errorLog()).not.toMatch(/TypeError|uncaught/i);
  });
});

test('a client that brings a TLS connection of its own reaches the server behind a port where TLS ends', async () => {
  const gateway = await createGatewayInstallation();
  onTestFinished(() => gateway.remove());
  const certificate = await makeCertificate({ names: ['db.example.com'] });
  await gateway.configure(`proxy_mode: http&stream
stream_proxy:
  tcp: [{ addr: "127.0.0.1:${gateway.streamPort}", tls: true }]`);
  await gateway.apisixOk('start');
  await gateway.put('/ssls/db', { sni: 'db.example.com', ...certificate });
  await gateway.put('/stream_routes/db', {
    sni: 'db.example.com',
    upstream: { nodes: { [`${mysql.host}:${mysql.port}`]: 1 } },
  });
  const { user, password } = mysql;
  const address = { host: '127.0.0.1', port: gateway.streamPort };

  const connection = await connectMysql(
    { ...address, user, password },
    { stream: () => connectTls({ ...address, servername: 'db.example.com', ca: certificate.cert }) },
  );
  const [rows] = await connection.query('SELECT 6 * 7 AS answer');
  await connection.end();

  expect(rows).toEqual([{ answer: 42 }]);
});
