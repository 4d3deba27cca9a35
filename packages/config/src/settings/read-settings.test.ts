import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamListeners } from './listeners.ts';
import { readSettings } from './read-settings.ts';

const publicKeyring = 'a key that everybody knows';

let home: string;
const path = (name = 'config.yaml') => join(home, 'conf', name);
const write = (text: string, name?: string) => writeFileSync(path(name), text);
const read = (env: Readonly<Record<string, string>> = {}) => readSettings({ home, env });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'settings-'));
  mkdirSync(join(home, 'conf'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('reads conf/config.yaml below HOME', () => {
  write('apisix:\n  proxy_mode: stream\n  stream_proxy:\n    tcp: [9100, "[::1]:${{PORT}}"]\n');

  const { settings, file, warnings } = read({ PORT: '9101' });

  expect(streamListeners(settings)).toStrictEqual([
    { protocol: 'tcp', host: '0.0.0.0', port: 9100, ...plain },
    { protocol: 'tcp', host: '::1', port: 9101, ...plain },
  ]);
  expect(file).toBe(path());
  expect(warnings).toStrictEqual([expect.stringContaining(publicKeyring)]);
});

test('reads the file of a profile', () => {
  write('apisix: {node_listen: 81}', 'config-dev.yaml');

  expect(read({ APISIX_PROFILE: 'dev' })).toMatchObject({
    file: path('config-dev.yaml'),
    settings: { apisix: { node_listen: 81 } },
  });
});

test('reads a file of another name', () => {
  write('apisix: {node_listen: 82}', 'other.yaml');

  expect(readSettings({ home, file: path('other.yaml'), env: {} }).settings.apisix.node_listen).toBe(82);
});

test('gives defaults for a blank file', () => {
  write('# later\n');

  expect(read().settings.apisix.node_listen).toStrictEqual([9080]);
});

test('gives a removed key its default again', () => {
  write('apisix:\n  control: {port: 9999}\n');
  expect(read().settings.apisix.control.port).toBe(9999);

  write('');
  expect(read().settings.apisix.control.port).toBe(9090);
});

test('names a file that is not there', () => {
  expect(() => read()).toThrow(
    expect.objectContaining({
      code: 'SETTINGS_FILE_UNREADABLE',
      message: expect.stringContaining(`failed to open file: ${path()}, error info:ENOENT`),
    }),
  );
});

const plain = {
  tls: undefined,
  tlsPassthrough: false,
  proxyProtocol: false,
  proxyProtocolToUpstream: 0,
  limits: {},
};

describe('a problem', () => {
  test('is told with file, line, column, key, what was expected and what was found', () => {
    write('apisix:\n  proxy_mode: tcp\n');

    expect(() => read()).toThrow(
      `${path()}:2:3: failed to validate config: property "apisix" validation failed: property "proxy_mode" ` +
        'validation failed: matches none of the enum values (apisix.proxy_mode: expected one of "http", "stream", ' +
        '"http&stream", found "tcp")',
    );
  });

  test('says which variable its value came from', () => {
    write('nginx_config:\n  worker_processes: ${{WORKERS}}\n');

    expect(() => read({ WORKERS: 'false' })).toThrow(
      `${path()}:2:3: failed to merge, path[nginx_config->worker_processes] expect: string, but got: boolean ` +
        '(nginx_config.worker_processes: expected a string, found false from ${{WORKERS}})',
    );
  });

  test('is told together with the others, in the order of the file', () => {
    write(
      [
        'deployment:',
        '  etcd: {timeout: 0}',
        '  admin:',
        '    admin_key_required: invalid-value',
        'apisix:',
        '  dns_resolver_valid: "/apisix"',
        '  stream_proxy: {tcp: []}',
        '  enable_ipv6: 1',
        '',
      ].join('\n'),
    );

    let message = '';
    try {
      read();
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }

    expect(message.split('\n').map((line) => line.slice(path().length))).toStrictEqual([
      expect.stringMatching(/^:2:10: .*expected 0 to be at least 1 \(deployment.etcd.timeout: /),
      expect.stringMatching(
        /^:4:5: .*path\[deployment->admin->admin_key_required\] expect: boolean, but got: string/,
      ),
      expect.stringMatching(
        /^:6:3: .*property "dns_resolver_valid" validation failed: wrong type: expected integer, got string/,
      ),
      expect.stringMatching(/^:7:18: .*expect array to have at least 1 items/),
      expect.stringMatching(/^:8:3: .*path\[apisix->enable_ipv6\] expect: boolean, but got: number/),
    ]);
  });

  test('keeps keys and passwords out of its message', () => {
    write(
      'deployment:\n  etcd: {password: 12345678}\n  admin:\n    admin_key: [{name: a, key: 87654321, role: admin}]\n',
    );

    expect(() => read()).toThrow(
      /^(?![^]*(?:12345678|87654321))[^]*password: expected string, found a number/,
    );
  });

  test('with a missing top key is told at the place where it was removed', () => {
    write('# nothing\napisix: ~\n');

    expect(() => read()).toThrow(`${path()}:2:1: failed to validate config: property "apisix" is required`);
  });
});

describe('warns', () => {
  test.for([
    [
      'that no Admin key is asked for',
      'deployment: {admin: {admin_key_required: false}}',
      {},
      'Warning! Admin key is bypassed!',
    ],
    [
      'about an empty Admin key',
      'deployment: {admin: {allow_admin: ~}}',
      {},
      'WARNING: using empty Admin API.',
    ],
    [
      'about raw nginx configuration',
      'nginx_config:\n  main_configuration_snippet: "# x"\n  stream_configuration_snippet: |\n    # y\n    resolver 1.1.1.1;\n',
      {},
      'raw nginx configuration has no effect here and is ignored: nginx_config.stream_configuration_snippet',
    ],
    [
      'about Lua modules',
      'apisix: {lua_module_hook: my.hook, extra_lua_path: ""}',
      {},
      'this gateway runs no Lua code and no external plugin runner, so it ignores: apisix.lua_module_hook',
    ],
    [
      'about labels that metrics do not take',
      'plugin_attr: {prometheus: {metrics: {http_status: {extra_labels: [{host: $host}]}, stream_status: {expire: 60}}}}',
      {},
      'only stream_connection_total and stream_status take other labels, so these are ignored: plugin_attr.prometheus.metrics.http_status.extra_labels',
    ],
    [
      'about a name server of one interface',
      'apisix: {dns_resolver: ["fe80::1%eth0", 1.1.1.1]}',
      {},
      'unsupported DNS resolver: fe80::1%eth0, would ignore this item',
    ],
    [
      'about an entry of node_listen that is not read',
      'apisix: {node_listen: [81, "82"]}',
      {},
      'apisix.node_listen[2] is neither a port nor {ip, port} and is ignored',
    ],
    [
      'about etcd hosts in the environment that cannot be read',
      '',
      { APISIX_DEPLOYMENT_ETCD_HOST: 'http://127.0.0.1' },
      'parse ${APISIX_DEPLOYMENT_ETCD_HOST} failed, error:',
    ],
    ['about a repeated key', 'a: 1\na: 2\n', {}, '"a" is written a second time'],
  ] as const)('%s', ([, text, env, warning]) => {
    write(text);

    const warnings = read(env).warnings.filter((found) => !found.includes(publicKeyring));
    expect(warnings).toStrictEqual([expect.stringContaining(warning)]);
  });
});

describe('private keys sealed with a key that everybody knows', () => {
  test.for([
    ['the default', '', 1],
    ['the default, written', 'apisix: {data_encryption: {keyring: edd1c9f0985e76a2}}', 1],
    ['a key of their own', 'apisix: {data_encryption: {keyring: [0123456789abcdef, qeddd145sfvddff3]}}', 0],
    ['no key', 'apisix: {data_encryption: {keyring: ~}}', 0],
    ['nothing, without the Admin API', 'apisix: {enable_admin: false}', 0],
    ['nothing, without a store', 'deployment: {role_traditional: {config_provider: yaml}}', 0],
  ] as const)('%s', ([, text, count]) => {
    write(text);

    const warnings = read().warnings.filter((warning) => warning.includes(publicKeyring));

    expect(warnings).toHaveLength(count);
  });
});

describe('a file of resources that does not count', () => {
  const config = 'deployment: {role_traditional: {config_provider: yaml}}\n';

  test.for([
    ['apisix.yaml', 'config.yaml', {}],
    ['apisix-p.yaml', 'config-p.yaml', { APISIX_PROFILE: 'p' }],
  ] as const)('is warned about: %s beside %s', ([rules, file, env]) => {
    write(config, file);
    write('routes: []\n#END\n', rules);

    expect(read(env).warnings).toStrictEqual([
      expect.stringMatching(new RegExp(`^${path(rules)} is not read: .*PUT /apisix/admin/configs`)),
    ]);
  });

  test.for([
    ['there is none', config],
    ['another store is in use', ''],
  ] as const)('is not mentioned when %s', ([why, text]) => {
    write(text);
    if (why !== 'there is none') write('#END\n', 'apisix.yaml');

    expect(read().warnings.filter((warning) => warning.includes('apisix.yaml'))).toStrictEqual([]);
  });
});

test('reads the configuration that comes with the project', () => {
  const { settings, warnings } = readSettings({ home: join(import.meta.dirname, '../../../..'), env: {} });

  expect(settings).toMatchObject({
    apisix: { proxy_mode: 'http&stream', node_listen: 9080, stream_proxy: { tcp: [9100] } },
    deployment: { config_provider: 'embedded', admin: { admin_listen: { ip: '127.0.0.1' } } },
  });
  expect(warnings).toStrictEqual([
    expect.stringContaining('Admin key is bypassed'),
    expect.stringContaining(publicKeyring),
  ]);
});
