import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { startDnsServer } from '@apisix-ts/testkit';
import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freeLoopbackAddress } from '../../testbed/loopback-address.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import { connectMysql, runMysqlCli } from '../../testbed/mysql-client.ts';
import { startLocalMysql } from '../../testbed/mysql-local.ts';
import { account } from '../../testbed/mysql-options.ts';
import { startMysql } from '../../testbed/mysql-server.ts';
import type { MysqlServer } from '../../testbed/mysql-server.ts';
import { startProcess } from '../../testbed/process.ts';

const leaks = openLeakCheck();

describe('the MySQL server', () => {
  let mysql: MysqlServer;
  beforeAll(async () => {
    mysql = await startMysql();
  });
  afterAll(async () => {
    await mysql?.stop();
  });

  test('answers mysql2 and the command-line client', async () => {
    const connection = await connectMysql(mysql);
    const [rows] = await connection.query<RowDataPacket[]>('SELECT 6 * 7 AS answer');
    await connection.end();
    const cli = await runMysqlCli(mysql, "SELECT 6 * 7, 'text'");

    expect(rows).toEqual([{ answer: 42 }]);
    expect(cli).toEqual({ status: 0, stdout: '42\ttext\n', stderr: '' });
  });

  test('takes and gives back a value of 50 MB', async () => {
    const value = randomBytes(50_000_000);
    const connection = await connectMysql(mysql);
    await connection.query('CREATE DATABASE IF NOT EXISTS testbed');
    await connection.query('CREATE TABLE testbed.large (value LONGBLOB)');

    const [written] = await connection.query<ResultSetHeader>('INSERT INTO testbed.large VALUES (?)', [
      value,
    ]);
    const [rows] = await connection.query<RowDataPacket[]>('SELECT value FROM testbed.large');
    await connection.query('DROP DATABASE testbed');
    await connection.end();

    expect(written.affectedRows).toBe(1);
    expect(value.equals(rows[0]?.['value'])).toBe(true);
  });

  test('holds 200 sessions at once', async () => {
    const sessions = await Promise.all(Array.from({ length: 200 }, () => connectMysql(mysql)));
    const answers = await Promise.all(
      sessions.map((session) => session.query<RowDataPacket[]>('SELECT 1 AS one')),
    );
    await Promise.all(sessions.map((session) => session.end()));

    expect(answers.every(([rows]) => rows[0]?.['one'] === 1)).toBe(true);
  });
});

test('a server installed on the machine stands in where there is no container engine', async () => {
  const address = await freeLoopbackAddress(3306);
  const stop = await startLocalMysql(address);

  const cli = await runMysqlCli({ ...address, ...account }, 'SELECT 1');
  await stop();

  expect(cli).toEqual({ status: 0, stdout: '1\n', stderr: '' });
});

test('the name server answers for mysql, and changes its answer', async () => {
  const dns = await startDnsServer({ names: { mysql: ['127.1.2.3'] } });
  onTestFinished(() => dns.close());
  const resolver = new Resolver();
  resolver.setServers([dns.server]);

  const before = await resolver.resolve4('mysql', { ttl: true });
  await dns.setNames({ mysql: ['127.1.2.4'] });
  const after = await resolver.resolve4('mysql', { ttl: true });

  expect(before).toEqual([{ address: '127.1.2.3', ttl: 1 }]);
  expect(after).toEqual([{ address: '127.1.2.4', ttl: 1 }]);
});

describe('the leak check', () => {
  test('finds a process that detached itself', async () => {
    const check = openLeakCheck();
    const shell = await startProcess('sh', ['-c', 'setsid sleep 60 >/dev/null 2>&1 & echo $!']);
    await shell.exited;

    const left = await check.leftovers();
    process.kill(Number(shell.output()));

    expect(left).toEqual([expect.stringMatching(/^process \d+: sleep 60$/)]);
  });

  test('finds nothing of what the cases above started', async () => {
    expect(await leaks.leftovers()).toEqual([]);
  });
});
