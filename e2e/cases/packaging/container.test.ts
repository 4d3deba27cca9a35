import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openIsolatedEngine } from '../../testbed/docker-engine.ts';
import type { DockerEngine } from '../../testbed/docker-engine.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import { runOrFail } from '../../testbed/process.ts';
import { root } from '../../testbed/published.ts';
import { buildQuickstartImages } from '../../testbed/quickstart-images.ts';

// Against tests that hang: a server in a container takes its time.
vi.setConfig({ testTimeout: 180_000 });

const leaks = openLeakCheck();
const opened = await openIsolatedEngine();
const missing = 'missing' in opened ? opened.missing : undefined;
if (missing !== undefined) console.log(`No containers: ${missing}`);

// Without root, or where namespaces are forbidden, there is no engine of our own.
describe.skipIf(missing !== undefined)('the container image', () => {
  let engine: DockerEngine;
  /** The commands of the guide, block by block. */
  let guide: readonly string[];

  beforeAll(async () => {
    if ('missing' in opened) throw new Error(opened.missing);
    engine = opened;
    const page = await readFile(join(root, 'docs', 'guides', 'mysql.md'), 'utf8');
    const section = page.slice(page.indexOf('## With containers'), page.indexOf('## When it does not work'));
    guide = Array.from(section.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block = '']) => block);
    await buildQuickstartImages(engine);
  });

  afterAll(async () => {
    await engine.close();
    expect(await leaks.leftovers()).toEqual([]);
  });

  /** Runs a block of the guide, where the published ports are. */
  function shell(block: string): Promise<string> {
    const env = { DOCKER_HOST: engine.host, MYSQL_PWD: 'my-secret-pw' };
    return runOrFail('nsenter', [...engine.network, 'sh', '-ec', block], { cwd: root, env });
  }

  async function until(isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue())) await pause(100);
  }

  const isHealthy = async (name: string): Promise<boolean> =>
    (await engine.docker('inspect', '--format', '{{.State.Health.Status}}', name)) === 'healthy';

  /** Sooner known than its health, which is looked at every ten seconds. */
  const isServing = async (name: string, starts = 1): Promise<boolean> =>
    (await logsOf(name)).split('is serving, ready after').length > starts;

  test('runs the MySQL guide with its own commands, on what compose.yaml starts', async () => {
    const [up = '', configure = '', reload = '', route = '', connect = ''] = guide;

    // Debian 12 has the Compose that is a command of its own.
    await shell(up.replace('docker compose up -d', 'docker-compose up -d --no-build'));
    await until(() => isHealthy('apisix-quickstart'));
    await shell(configure);
    await shell(reload);
    const answer = await shell(route);
    await until(async () => /ready for connections.*port: 3306/.test(await logsOf('mysql')));

    expect(answer).toContain('/apisix/stream_routes/stream-route-mysql');
    // The password comes from the environment, where nobody types it.
    const query = connect.replace(' -p', ` --batch --skip-column-names --execute 'SELECT 6 * 7'`);
    expect(await shell(query)).toBe('42\n');
    expect(await shell(`curl -s http://127.0.0.1:9092/v1/config/status`)).toContain(
      '"config_provider":"etcd"',
    );
    expect(await engine.docker('exec', 'apisix-quickstart', 'id', '-un')).toBe('apisix');
  });

  test('starts again after it was killed, and ends in order when it is stopped', async () => {
    await engine.docker('kill', '--signal=KILL', 'apisix-quickstart');
    await engine.docker('start', 'apisix-quickstart');
    await until(() => isServing('apisix-quickstart', 2));

    await engine.docker('stop', 'apisix-quickstart');

    expect(await engine.docker('inspect', '--format', '{{.State.ExitCode}}', 'apisix-quickstart')).toBe('0');
  });

  test('runs alone, keeps its data in a volume, and has its Admin API behind a key', async () => {
    const run = [
      'run',
      '--detach',
      '--name',
      'alone',
      '--publish',
      '9180:9180',
      '--volume',
      'data:/usr/local/apisix/data',
    ];
    const put = `curl -s -X PUT http://127.0.0.1:9180/apisix/admin/upstreams/1 -d '{"type":"roundrobin","nodes":{"10.0.0.5:1":1}}'`;
    const key = '-H "X-API-KEY: $(docker exec alone cat data/admin.key)"';
    await shell('docker-compose down --volumes');

    await engine.docker(...run, 'apisix-ts');
    await until(() => isServing('alone'));
    const refused = await shell(put);
    await shell(`${put} ${key}`);
    await engine.docker('rm', '--force', 'alone');
    await engine.docker(...run, 'apisix-ts');
    await until(() => isServing('alone'));

    expect(refused).toContain('failed to check token');
    expect(await shell(`curl -s http://127.0.0.1:9180/apisix/admin/upstreams/1 ${key}`)).toContain(
      '10.0.0.5:1',
    );
    expect(await engine.docker('exec', 'alone', 'apisix', 'test')).toContain(
      'configuration test is successful',
    );
  });

  test('takes its routes from a file with APISIX_STAND_ALONE', async () => {
    await engine.docker(
      'run',
      '--detach',
      '--name',
      'standalone',
      '--env',
      'APISIX_STAND_ALONE=true',
      'apisix-ts',
    );
    await until(() => isServing('standalone'));

    expect(await logsOf('standalone')).toMatch(/role +data_plane/);
    expect(await engine.docker('exec', 'standalone', 'cat', 'conf/apisix.yaml')).toContain('#END');
  });

  /** Both streams of a container. */
  function logsOf(name: string): Promise<string> {
    return shell(`docker logs ${name} 2>&1`);
  }
});
