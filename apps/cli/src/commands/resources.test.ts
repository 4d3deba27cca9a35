import { join } from 'node:path';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import type { Installation } from '../testing/installation.ts';

/** Wrong in six places. */
const bad = `stream_routes:
  - id: mysql
    server_port: 0
    upstream_id: gone
  - id: mysql
    upstream: { type: magic, nodes: { "127.0.0.1:3306": 1 } }
upstreams:
  - id: db
    nodes: { "127.0.0.1:3306": -1 }
    retry: 1
ssls: none
#END
`;

describe('test', () => {
  test('says that the resources are good', async () => {
    const { home } = await installed('yaml', 'stream_routes: []\n#END\n');

    const outcome = await apisix(['test', '-p', home]);

    expect(outcome).toEqual({ status: 0, stdout: 'configuration test is successful\n', stderr: '' });
  });

  test('tells every problem of every resource at once, with its line and column', async () => {
    const { home } = await installed('yaml', bad);

    const { status, stdout, stderr } = await apisix(['test', '-p', home]);

    expect([status, stdout]).toEqual([1, '']);
    const lines = stderr.replaceAll(join(home, 'conf', 'apisix.yaml'), 'apisix.yaml').split('\n');
    expect(lines).toEqual([
      'configuration test failed',
      expect.stringMatching(
        /^apisix\.yaml:5:5: stream_routes\/mysql is written a second time and replaces the one in line 2$/,
      ),
      expect.stringMatching(/^apisix\.yaml:5:5: stream_routes\/mysql: unknown balancer type \[magic\]/),
      expect.stringMatching(/^apisix\.yaml:9:5: upstreams\/db: .*\(upstreams\[1\]\.nodes: .*found a map\)$/),
      expect.stringMatching(/^apisix\.yaml:10:5: upstreams\/db: .*\(upstreams\[1\]\.retry: found 1\)$/),
      expect.stringMatching(/^apisix\.yaml:11:1: ssls is not read: .*found "none"\) \(RESOURCE_INVALID\)$/),
      '',
    ]);
  });

  test('does so for JSON', async () => {
    const { home } = await installed('json', '{\n "stream_routes": [\n  {"id": 1, "upstream_id": 7}]}');

    const { status, stderr } = await apisix(['test', '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain(
      `${home}/conf/apisix.json:3:13: stream_routes/1: names the upstream 7: the file has none (stream_routes[1].upstream_id: expected`,
    );
  });

  test('warns of what is probably misspelled', async () => {
    const { home } = await installed('yaml', 'routes: []\nstream_route: []\n#END');

    const { status, stdout } = await apisix(['test', '-p', home]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('did you mean stream_routes?')]);
  });

  test('takes apisix-<profile>.yaml with APISIX_PROFILE', async () => {
    const { home, write, read } = await installed('yaml', bad);
    await write('conf/config-p.yaml', await read('conf/config.yaml'));
    await write('conf/apisix-p.yaml', 'routes: []\n#END');

    expect((await apisix(['test', '-p', home], { env: { APISIX_PROFILE: 'p' } })).status).toBe(0);
  });

  test('leaves a file alone that is not read', async () => {
    const { home, write } = await createInstallation(streamConfig({ tcp: [9100] }));
    await write('conf/apisix.yaml', bad);

    expect((await apisix(['test', '-p', home])).status).toBe(0);
  });
});

describe('a file that cannot be read', () => {
  test.for([
    [
      'init',
      'a missing variable',
      'routes: [{id: "${{APISIX_TEST_UNSET}}"}]\n#END',
      'environment variable APISIX_TEST_UNSET',
    ],
    ['init', 'no end mark', 'routes: []', 'missing valid end flag in file'],
    ['start', 'no map', '- 1\n#END', 'invalid apisix.yaml file'],
    ['test', 'no YAML', 'routes: [\n#END', 'YAML syntax error'],
  ] as const)('fails %s: %s', async ([command, , text, message]) => {
    const { home } = await installed('yaml', text);

    const { status, stderr } = await apisix([command, '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).toContain('failed to read the resources of apisix: ');
  });

  test('is one that is not there', async () => {
    const { home } = await installed('yaml');

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining('failed to fetch ')]);
    expect(stderr).toContain('(SETTINGS_FILE_UNREADABLE)');
  });
});

test('a gateway that was started serves the file; a restart with a bad one leaves it running', async () => {
  const [echo, port] = [await openEcho(), await freePort()];
  onTestFinished(() => echo.close());
  const text = `stream_routes: [{id: e, upstream: {type: roundrobin, nodes: {"127.0.0.1:${echo.port}": 1}}}]\n#END\n`;
  const { home, write, pid } = await installed('yaml', text, port);

  const started = await apisix(['start', '-p', home]);
  const first = await pid();
  await write('conf/apisix.yaml', text.replace('roundrobin', 'magic'));
  const restarted = await apisix(['restart', '-p', home]);
  const client = await connectPeer(port);
  await client.send('still');

  expect(started).toMatchObject({ status: 0 });
  expect(restarted).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('unknown balancer type [magic]'),
  });
  expect(await pid()).toBe(first);
  expect((await client.take(5)).toString()).toBe('still');
  client.destroy();
});

/** A data plane that reads this file of resources; none is written without a text. */
async function installed(format: 'yaml' | 'json', text?: string, port = 9100): Promise<Installation> {
  const config = streamConfig({ tcp: [port] }).replace(
    'deployment:',
    `deployment:\n  role: data_plane\n  role_data_plane: { config_provider: ${format} }`,
  );
  const installation = await createInstallation(config.replace('admin_key_required: false', ''));
  if (text !== undefined) await installation.write(`conf/apisix.${format}`, text);
  return installation;
}
