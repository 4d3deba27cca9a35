import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DockerEngine } from './docker-engine.ts';
import { runOrFail } from './process.ts';

/** MySQL is only in Debian's unstable suite; these two packages hold the programs and no service. */
const suite = 'sid';
const packages = ['mysql-server-core', 'mysql-client-core'];
const needless = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'var/cache/apt',
  'var/lib/apt',
];

/** Is called as `entry-point mysqld OPTIONS`. Does what the entry point of the `mysql` image does: makes an empty database, sets the password, runs the server. */
const entryPoint = `#!/bin/sh
set -e
shift
cat >/tmp/init.sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE USER root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
SQL
common="--no-defaults --user=root --datadir=/var/lib/mysql --secure-file-priv=NULL"
mysqld $common --initialize-insecure
exec mysqld $common --socket=/tmp/mysql.sock --init-file=/tmp/init.sql "$@"
`;

/** Only root writes here, and only root builds. */
const cacheDir = '/var/cache/apisix-ts-tests';

/**
 * The name of an image with a real MySQL server, made of Debian packages where none can be pulled. The file system it
 * is made of is kept for the next run, by the recipe that made it. Rejects when debootstrap or its mirror is missing.
 */
export async function ensureMysqlImage(engine: DockerEngine): Promise<string> {
  const recipe = createHash('sha256').update(JSON.stringify([suite, packages, needless, entryPoint, arch()]));
  const version = recipe.digest('hex').slice(0, 12);
  const image = `apisix-ts-tests/mysql:${version}`;
  if ((await engine.docker('images', '--quiet', image)) !== '') return image;

  const tarball = join(cacheDir, `mysql-${version}.tar`);
  if (!existsSync(tarball)) await buildTarball(tarball);
  await engine.docker('import', '--change', 'ENTRYPOINT ["/entry-point"]', tarball, image);
  return image;
}

async function buildTarball(tarball: string): Promise<void> {
  console.log(
    'Building a MySQL image from Debian packages; this takes about a minute and is kept for the next run …',
  );
  const folder = await mkdtemp(join(tmpdir(), 'mysql-image-'));
  const rootfs = join(folder, 'rootfs');
  try {
    const include = `--include=${packages.join(',')}`;
    // In a mount namespace of its own: what it mounts inside the folder goes with it, also when it is interrupted.
    const args = [
      '--mount',
      'debootstrap',
      '--variant=minbase',
      include,
      suite,
      rootfs,
      await debianMirror(),
    ];
    await runOrFail('unshare', args, { limitMs: 600_000 });
    for (const path of needless) await rm(join(rootfs, path), { recursive: true, force: true });
    await writeFile(join(rootfs, 'entry-point'), entryPoint, { mode: 0o755 });

    await mkdir(cacheDir, { recursive: true, mode: 0o700 });
    const partial = `${tarball}.${process.pid}`;
    await runOrFail('tar', ['-C', rootfs, '-cf', partial, '.']);
    await rename(partial, tarball);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where this machine gets its own Debian packages from. */
async function debianMirror(): Promise<string> {
  const args = ['indextargets', '--format', '$(SITE)', 'Origin: Debian', 'Label: Debian'];
  const [mirror = ''] = (await runOrFail('apt-get', args)).split('\n');
  if (mirror === '') throw new Error('apt knows no Debian mirror: run apt-get update');
  return mirror;
}
