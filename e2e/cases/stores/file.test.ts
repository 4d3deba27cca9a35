import { rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openSource } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';

test('a data plane serves apisix.yaml, and what is in it after an edit, in all workers', async () => {
  const gateway = await createGatewayInstallation();
  onTestFinished(() => gateway.remove());
  await gateway.configure(
    `proxy_mode: stream\nstream_proxy: { tcp: ["127.0.0.1:${gateway.streamPort}"] }`,
    'role: data_plane\nrole_data_plane: { config_provider: yaml }',
  );
  const file = join(gateway.home, 'conf', 'apisix.yaml');
  await writeFile(file, routeTo(await serverNamed('one')));

  await gateway.apisixOk('test');
  await gateway.apisixOk('start');
  const before = await greetings(gateway.streamPort);
  await writeFile(`${file}.new`, routeTo(await serverNamed('two')));
  await rename(`${file}.new`, file);
  await expect.poll(() => greetings(gateway.streamPort), { interval: 10 }).toEqual(['two']);
  await writeFile(file, 'stream_routes:\n  - id: [\n#END\n');
  await expect.poll(() => gateway.errorLog()).toContain(`${file}:4:1: YAML syntax error`);
  const tested = await gateway.apisix('test');

  expect(before).toEqual(['one']);
  expect(await greetings(gateway.streamPort)).toEqual(['two']);
  expect([tested.status, tested.stderr]).toEqual([
    1,
    expect.stringContaining(`${file}:4:1: YAML syntax error`),
  ]);
  expect(await gateway.errorLog()).toContain(`config file ${file} reloaded.`);
});

function routeTo(port: number): string {
  return `stream_routes:
  - id: greeter
    upstream:
      type: roundrobin
      nodes: { "127.0.0.1:${port}": 1 }
#END
`;
}

/** A server that says its name and ends. @returns its port. */
async function serverNamed(name: string): Promise<number> {
  const server = await openSource(Buffer.from(name));
  onTestFinished(() => server.close());
  return server.port;
}

/** What several connections are told: the kernel spreads them over the workers. */
async function greetings(port: number): Promise<readonly string[]> {
  const all = Array.from({ length: 16 }, () => text(connect({ port, host: '127.0.0.1' })));
  return [...new Set(await Promise.all(all))];
}
