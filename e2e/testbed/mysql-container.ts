import { GenericContainer, Wait } from 'testcontainers';
import type { DockerEngine } from './docker-engine.ts';
import { account, serverOptions } from './mysql-options.ts';
import type { MysqlAddress } from './mysql-options.ts';

/**
 * Starts a container of an image whose entry point takes the server's options, as that of `mysql` does. It uses the
 * machine's network and listens on `address` only. Rejects when the image cannot be had or the server does not start.
 * @returns what stops and removes it.
 */
export async function startMysqlContainer(
  engine: DockerEngine,
  image: string,
  address: MysqlAddress,
): Promise<() => Promise<void>> {
  // How testcontainers finds the engine. It would look for a network to reach containers by, and start a cleaner:
  // a container that outlives the test by seconds.
  process.env['DOCKER_HOST'] = engine.host;
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = address.host;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const container = await new GenericContainer(image)
    .withNetworkMode('host')
    .withTmpFs({ '/var/lib/mysql': 'rw' })
    .withEnvironment({ MYSQL_ROOT_PASSWORD: account.password })
    .withCommand(['mysqld', '--mysqlx=OFF', ...serverOptions(address)])
    // The server that the entry point runs for the set-up says port 0.
    .withWaitStrategy(Wait.forLogMessage(/ready for connections.*port: [1-9]/))
    .withStartupTimeout(300_000)
    .start();
  let stopped: Promise<unknown> | undefined;
  return async () => {
    stopped ??= container.stop({ remove: true, removeVolumes: true });
    await stopped;
  };
}
