import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { account, serverOptions } from './mysql-options.ts';
import type { MysqlAddress } from './mysql-options.ts';
import { runCommand, runOrFail, startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';

/**
 * Starts the MariaDB or MySQL server that is installed on this machine, on a database of its own that goes with it.
 * Rejects when there is none, saying what to install.
 * @returns what stops it.
 */
export async function startLocalMysql(address: MysqlAddress): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'mysql-'));
  let server: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const program = await installedProgram();
    const where = [`--datadir=${join(folder, 'data')}`, ...asRoot()];
    await makeDatabase(program, where);
    const initFile = join(folder, 'init.sql');
    await writeFile(initFile, initStatements);
    const ours = [
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${initFile}`,
    ];
    const options = ['--no-defaults', ...where, ...ours, ...serverOptions(address)];
    // MySQL's second protocol, on a port of its own; MariaDB does not know the option.
    if (program === 'mysqld') options.push('--mysqlx=OFF');
    server = await startProcess(program, options);
    await server.waitForOutput(/ready for connections[\s\S]*port: [1-9]/);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** MariaDB makes accounts of root for some addresses too, which would win over the one for every address. */
const initStatements = `
DROP USER IF EXISTS root@'127.0.0.1', root@'::1';
ALTER USER root@localhost IDENTIFIED BY '${account.password}';
CREATE USER root@'%' IDENTIFIED BY '${account.password}';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
`;

/** `mysqld` may be another name of MariaDB's server, so that one is asked for first. */
async function installedProgram(): Promise<'mariadbd' | 'mysqld'> {
  for (const program of ['mariadbd', 'mysqld'] as const) {
    const isThere = await runCommand(program, ['--version']).then(
      ({ status }) => status === 0,
      () => false,
    );
    if (isThere) return program;
  }
  throw new Error('these tests need a MySQL or MariaDB server: apt-get install mariadb-server-core');
}

async function makeDatabase(program: 'mariadbd' | 'mysqld', where: readonly string[]): Promise<void> {
  await (program === 'mariadbd'
    ? runOrFail('mariadb-install-db', ['--no-defaults', ...where, '--auth-root-authentication-method=normal'])
    : runOrFail('mysqld', ['--no-defaults', ...where, '--initialize-insecure']));
}

/** Both servers refuse to run as root unless told to. */
function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
