import { openDockerEngine } from './docker-engine.ts';
import { freeLoopbackAddress } from './loopback-address.ts';
import { startMysqlContainer } from './mysql-container.ts';
import { ensureMysqlImage } from './mysql-image.ts';
import { startLocalMysql } from './mysql-local.ts';
import { account } from './mysql-options.ts';
import type { MysqlAddress } from './mysql-options.ts';

/** A real MySQL (or MariaDB) server: values of 100 MB fit, 300 clients at once are let in. */
export interface MysqlServer extends MysqlAddress {
  /** Where it came from; `local` may be MariaDB. */
  readonly kind: 'mysql:8.4 image' | 'image of Debian packages' | 'local';
  readonly user: string;
  readonly password: string;
  /** Ends the server, its container and an engine started for it. Idempotent. */
  stop(): Promise<void>;
}

/** Starts the best server that this machine can have, and says on the console which one it is and why. */
export async function startMysql(): Promise<MysqlServer> {
  const address = await freeLoopbackAddress(3306);
  const server = (await startInContainer(address)) ?? {
    kind: 'local' as const,
    stop: await startLocalMysql(address),
  };
  console.log(`MySQL server of the tests: ${server.kind}, at ${address.host}:${address.port}`);
  return { ...address, ...account, ...server };
}

async function startInContainer(
  address: MysqlAddress,
): Promise<Pick<MysqlServer, 'kind' | 'stop'> | undefined> {
  const engine = await openDockerEngine();
  if ('missing' in engine) {
    console.log(`No container: ${engine.missing}`);
    return undefined;
  }
  const attempts = [
    { kind: 'mysql:8.4 image', image: async () => 'mysql:8.4' },
    { kind: 'image of Debian packages', image: () => ensureMysqlImage(engine) },
  ] as const;
  for (const { kind, image } of attempts) {
    try {
      const stopContainer = await startMysqlContainer(engine, await image(), address);
      const stop = async (): Promise<void> => {
        await stopContainer();
        await engine.close();
      };
      return { kind, stop };
    } catch (error) {
      console.log(`No container from the ${kind}: ${String(error)}`);
    }
  }
  await engine.close();
  return undefined;
}
