import { createConnection } from 'mysql2/promise';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { runCommand } from './process.ts';
import type { CommandResult } from './process.ts';

/** Where to log in, and as whom: a `MysqlServer`, or one with the address of a gateway in front of it. */
export interface MysqlLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs statements in the `mariadb` command-line client. Values come one line a row, columns separated by tabs. */
export async function runMysqlCli(
  { host, port, user, password }: MysqlLogin,
  sql: string,
  options: readonly string[] = [],
): Promise<CommandResult> {
  const login = ['--no-defaults', '--protocol=tcp', `--host=${host}`, `--port=${port}`, `--user=${user}`];
  const args = [
    ...login,
    '--batch',
    '--skip-column-names',
    '--max-allowed-packet=128M',
    '--connect-timeout=60',
    ...options,
  ];
  // Statements go in as input: an argument cannot hold 50 MB.
  return runCommand('mariadb', args, { input: sql, env: { MYSQL_PWD: password } });
}

/** Logs in with mysql2. Rejects with its error, such as `PROTOCOL_CONNECTION_LOST`. The caller ends it. */
export async function connectMysql(
  { host, port, user, password }: MysqlLogin,
  options: Pick<ConnectionOptions, 'ssl' | 'stream'> = {},
): Promise<Connection> {
  return createConnection({ host, port, user, password, connectTimeout: 60_000, ...options });
}
