import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeComposePlugin } from '../../testbed/compose-plugin.ts';
import type { ComposePlugin } from '../../testbed/compose-plugin.ts';
import { openIsolatedEngine } from '../../testbed/docker-engine.ts';
import type { DockerEngine } from '../../testbed/docker-engine.ts';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { quoted, typeInto } from '../../testbed/docs/typing.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import { runOrFail } from '../../testbed/process.ts';
import { root } from '../../testbed/published.ts';
import { buildQuickstartImages } from '../../testbed/quickstart-images.ts';

const leaks = openLeakCheck();
const opened = await openIsolatedEngine();
const missing = 'missing' in opened ? opened.missing : undefined;
if (missing !== undefined) console.log(`No containers: ${missing}`);

// Without root, or where namespaces are forbidden, there is no engine of our own.
describe.skipIf(missing !== undefined)('the container image', () => {
  let engine: DockerEngine;
  let compose: ComposePlugin;

  beforeAll(async () => {
    if ('missing' in opened) throw new Error(opened.missing);
    engine = opened;
    compose = await makeComposePlugin();
    await buildQuickstartImages(engine);
  });

  afterEach(async () => {
    await shell('docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes');
  });

  afterAll(async () => {
    await engine.close();
    await compose.remove();
    expect(await leaks.leftovers()).toEqual([]);
  });

  const shellEnv = (): Readonly<Record<string, string>> => ({ DOCKER_HOST: engine.host, ...compose.env });

  /** Runs commands where the published ports are. */
  function shell(commands: string): Promise<string> {
    return runOrFail('nsenter', [...engine.network, 'sh', '-ec', commands], { cwd: root, env: shellEnv() });
  }

  /** Asks a MySQL server with the commands of a page, whose client runs on a terminal. */
  async function selectBy(commands: string): Promise<string> {
    const typed = [
      { at: 'Enter password: ', keys: 'my-secret-pw\n' },
      { at: '> ', keys: 'SELECT 6 * 7\\G\n' },
      { at: '1 row in set', keys: 'exit\n' },
    ];
    const there = `nsenter ${engine.network.join(' ')} sh -ec ${quoted(commands)}`;
    return (await typeInto(there, typed, { cwd: root, env: shellEnv() })).seen;
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
    await runHandedOver(import.meta.filename, 'docs/guides/mysql.md', async (next) => {
      await shell(next());
      await until(() => isHealthy('apisix-quickstart'));
      await shell(next());
      await shell(next());
      expect(await shell(next())).toContain('/apisix/stream_routes/stream-route-mysql');
      await until(async () => /ready for connections.*port: 3306/.test(await logsOf('mysql')));
      expect(await selectBy(next())).toContain('6 * 7: 42');

      expect(await shell(`curl -s http://127.0.0.1:9092/v1/config/status`)).toContain(
        '"config_provider":"etcd"',
      );
      expect(await engine.docker('exec', 'apisix-quickstart', 'id', '-un')).toBe('apisix');
      await shell('docker compose down --volumes');

      await shell(next());
      await until(() => isHealthy('apisix-quickstart'));
      expect(await logsOf('apisix-quickstart')).toMatch(/data +etcd http:\/\/etcd:2379/);
    });
  });

  test('starts again after it was killed, and ends in order when it is stopped', async () => {
    await engine.docker('run', '--detach', '--name', 'killed', 'apisix-ts');
    await until(() => isServing('killed'));

    await engine.docker('kill', '--signal=KILL', 'killed');
    await engine.docker('start', 'killed');
    await until(() => isServing('killed', 2));
    await engine.docker('stop', 'killed');

    expect(await engine.docker('inspect', '--format', '{{.State.ExitCode}}', 'killed')).toBe('0');
  });

  test('runs alone by the commands of the page, keeps its data in a volume, and its Admin API behind a key', async () => {
    await runHandedOver(import.meta.filename, 'docs/install.md', async (next) => {
      const [run, use] = [next(), next()];
      const put = `curl -s -X PUT http://127.0.0.1:9180/apisix/admin/upstreams/1 -d '{"type":"roundrobin","nodes":{"10.0.0.5:1":1}}'`;
      const key = '-H "X-API-KEY: $(docker exec apisix cat data/admin.key)"';

      await shell(run);
      await until(() => isHealthy('apisix'));
      const refused = await shell(put);
      await shell(`${put} ${key}`);
      await shell(use);
      await engine.docker('rm', 'apisix');
      await shell(run);
      await until(() => isServing('apisix'));

      expect(refused).toContain('failed to check token');
      expect(await shell(`curl -s http://127.0.0.1:9180/apisix/admin/upstreams/1 ${key}`)).toContain(
        '10.0.0.5:1',
      );
      expect(await engine.docker('exec', 'apisix', 'apisix', 'test')).toContain(
        'configuration test is successful',
      );
    });
  });

  test('gets the tag of a release', async () => {
    await runHandedOver(import.meta.filename, 'docs/releasing.md', async (next) => {
      await shell(next());
    });

    expect(await engine.docker('images', '--format', '{{.Tag}}', 'apisix-ts')).toMatch(/^\d+\.\d+\.\d+$/m);
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
