import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { connectPeer, openSource } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation, Ports } from './testing/installation.ts';

const forms = {
  'data_plane with yaml': {
    file: 'apisix.yaml',
    role: 'role: data_plane\n  role_data_plane: { config_provider: yaml }',
  },
  'data_plane with json': {
    file: 'apisix.json',
    role: 'role: data_plane\n  role_data_plane: { config_provider: json }',
  },
  'traditional with yaml, without Admin API': {
    file: 'apisix.yaml',
    role: 'role: traditional\n  role_traditional: { config_provider: yaml }',
  },
} as const;
type Form = keyof typeof forms;

describe.for(Object.keys(forms) as Form[])('%s', (form) => {
  test('serves what the file has, and what it has after an edit', async () => {
    const [first, second] = [await named('one'), await named('two')];
    const { ports, start, put } = await installed(form);
    await put(routeTo(first));
    await start();
    const before = await greetingAt(ports.stream);

    await put(routeTo(second));

    expect(before).toBe('one');
    await expect.poll(() => greetingAt(ports.stream)).toBe('two');
  });

  test('has no Admin API', async () => {
    const { ports, start, put } = await installed(form);
    await put({ routes: [] });
    await start();

    await expect(connectPeer(ports.admin)).rejects.toThrow('ECONNREFUSED');
    expect((await fetch(`http://127.0.0.1:${ports.http}/apisix/admin/routes`)).status).toBe(404);
  });

  test('does not start on a bad file, says where, and opens nothing', async () => {
    const { home, ports, start } = await installed(form);
    const path = join(home, 'conf', forms[form].file);
    await writeFile(path, '{"routes": [\n  {"id": 1} {"id": 2}]}\n#END');

    await expect(start()).rejects.toMatchObject({
      code: 'SETTINGS_SYNTAX',
      message: expect.stringContaining(`${path}:2:`),
    });
    await expect(connectPeer(ports.stream)).rejects.toThrow('ECONNREFUSED');
  });

  test('does not start without the file', async () => {
    const { start } = await installed(form);

    await expect(start()).rejects.toMatchObject({ code: 'SETTINGS_FILE_UNREADABLE' });
  });
});

test('a file that becomes bad leaves what is served, and the log says where', async () => {
  const { ports, start, put, home, log } = await installed('data_plane with yaml');
  await put(routeTo(await named('one')));
  await start();
  const path = join(home, 'conf', 'apisix.yaml');

  await writeFile(path, 'stream_routes:\n  - [\n#END\n');
  await expect.poll(log).toContain(`${path}:4:1: YAML syntax error`);
  const whileBad = await greetingAt(ports.stream);
  await put(routeTo(await named('two')));
  await expect.poll(log).toContain(`config file ${path} reloaded.`);

  expect(whileBad).toBe('one');
  await expect.poll(() => greetingAt(ports.stream)).toBe('two');
});

test('a resource that becomes bad keeps its last valid version, and the others change', async () => {
  const { ports, start, put, log } = await installed('data_plane with yaml');
  const [one, two] = [await named('one'), await named('two')];
  await put({
    upstreams: [upstream('u', one)],
    stream_routes: [{ id: 'r', upstream_id: 'u' }],
  });
  await start();

  await put({
    upstreams: [upstream('u', two)],
    stream_routes: [{ id: 'r', upstream_id: 'u', server_port: 0 }],
  });

  await expect.poll(() => greetingAt(ports.stream)).toBe('two');
  expect(await log()).toMatch(
    /a stored resource is invalid code=RESOURCE_INVALID resource=stream_routes\/r .*last valid/,
  );
});

test('a resource with a plugin that does not exist is not served: the file was written for this gateway', async () => {
  const { ports, start, put, log } = await installed('data_plane with yaml');
  const [route] = routeTo(await named('one')).stream_routes;
  await put({ stream_routes: [{ ...route, plugins: { 'ip-restriktion': {} } }] });

  await start();

  expect(await greetingAt(ports.stream)).toBe('');
  expect(await log()).toContain('unknown plugin [ip-restriktion]');
});

test('APISIX_PROFILE names both files', async () => {
  const { ports, home, start } = await installed('data_plane with yaml', { APISIX_PROFILE: 'p' });
  const port = await named('profile');
  await writeFile(join(home, 'conf', 'apisix-p.yaml'), `${JSON.stringify(routeTo(port))}\n#END`);

  await start();

  expect(await greetingAt(ports.stream)).toBe('profile');
});

test('a storm of edits in place never routes by half of one', async () => {
  const { ports, start, put } = await installed('data_plane with yaml');
  const servers = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (name) => ({ name, port: await named(name) })),
  );
  /** Each edit has one upstream, under a name of its own, far away from the route to it. */
  const texts = servers.map(({ name, port }) => ({
    stream_routes: [{ id: 'r', upstream_id: name }],
    services: Array.from({ length: 200 }, (_, id) => ({ id: `filler-${id}`, desc: name })),
    upstreams: [upstream(name, port)],
  }));
  await put(texts[0] ?? {});
  await start();
  const seen = new Set<string>();
  const over = new AbortController();

  const visit = async (): Promise<void> => {
    while (!over.signal.aborted) seen.add(await greetingAt(ports.stream));
  };
  const edit = async (): Promise<void> => {
    for (let count = 0; count < 200; count += 1) {
      await put(texts[count % texts.length] ?? {});
      seen.add(await greetingAt(ports.stream));
    }
    await expect.poll(() => greetingAt(ports.stream)).toBe('d');
    over.abort();
  };
  await Promise.all([edit(), visit(), visit()]);

  expect(['a', 'b', 'c', 'd']).toEqual(expect.arrayContaining([...seen]));
});

interface FileInstallation {
  readonly home: string;
  readonly ports: Ports;
  readonly start: Installation['start'];
  /** Replaces the file of resources, in place. */
  readonly put: (resources: object) => Promise<void>;
  readonly log: () => Promise<string>;
}

async function installed(form: Form, env: Record<string, string> = {}): Promise<FileInstallation> {
  const { home, ports, start, read } = await createInstallation(env);
  const { file, role } = forms[form];
  const name = env['APISIX_PROFILE'] === undefined ? 'config.yaml' : `config-${env['APISIX_PROFILE']}.yaml`;
  const yaml = configYaml(ports)
    .replace('apisix:', 'apisix:\n  enable_admin: false')
    .replace('deployment:', `deployment:\n  ${role}`);
  await writeFile(join(home, 'conf', name), yaml);
  const end = file.endsWith('.yaml') ? '\n#END\n' : '';
  return {
    home,
    ports,
    start,
    put: (resources) => writeFile(join(home, 'conf', file), JSON.stringify(resources) + end),
    log: () => read('logs/error.log'),
  };
}

/** A server that says its name and ends. @returns its port. */
async function named(name: string): Promise<number> {
  const server = await openSource(Buffer.from(name));
  onTestFinished(() => server.close());
  return server.port;
}

function upstream(id: string, port: number): object {
  return { id, type: 'roundrobin', nodes: { [`127.0.0.1:${port}`]: 1 } };
}

function routeTo(port: number): { readonly stream_routes: readonly object[] } {
  return { stream_routes: [{ id: 'r', upstream: upstream('r', port) }] };
}

/** What the gateway sends to who connects, up to the end. */
async function greetingAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    return await readAll(socket);
  } finally {
    socket.destroy();
  }
}
