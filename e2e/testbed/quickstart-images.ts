import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBinary } from './binary.ts';
import type { DockerEngine } from './docker-engine.ts';
import { ensureMysqlImage } from './mysql-image.ts';
import { runOrFail } from './process.ts';
import { root } from './published.ts';

/**
 * Makes every image that compose.yaml names, under its name there: the gateway's from the Dockerfile, the others, and what
 * the Dockerfile begins from, of Debian packages, because none can be pulled.
 */
export async function buildQuickstartImages(engine: DockerEngine): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quickstart-'));
  try {
    const debian = await ensureMysqlImage(engine);
    await writeFile(join(folder, 'mysql'), `FROM ${debian}\nCMD ["mysqld"]\n`);
    await engine.docker('build', '--quiet', '--file', join(folder, 'mysql'), '--tag', 'mysql:9.4', folder);

    for (const path of ['/usr/bin/etcd', '/usr/bin/etcdctl', await libatomic()]) {
      await copyFile(path, join(folder, path.slice(path.lastIndexOf('/') + 1)));
    }
    await writeFile(
      join(folder, 'Dockerfile'),
      `FROM ${debian}
COPY etcd etcdctl /usr/bin/
COPY libatomic.so.1 /usr/lib/
RUN ldconfig
ENTRYPOINT []
`,
    );
    const tags = ['debian:trixie-slim', 'quay.io/coreos/etcd:v3.5.21'].flatMap((tag) => ['--tag', tag]);
    await engine.docker('build', '--quiet', ...tags, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await buildBinary();
  await engine.docker('build', '--quiet', '--target', 'prebuilt', '--tag', 'apisix-ts', root);
}

/** The machine's own; Debian's slim image does not have it, and its packages cannot be had from inside a build here. */
async function libatomic(): Promise<string> {
  const libraries = await runOrFail('ldconfig', ['-p']);
  const path = /libatomic\.so\.1 .*=> (\S+)/.exec(libraries)?.[1];
  if (path === undefined) throw new Error('expected libatomic.so.1 among the libraries of this machine');
  return path;
}
