import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { createInstallation } from '../testing/installation.ts';
import { testContext } from '../testing/test-context.ts';

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `apisix test` in this process: it starts nothing. */
async function check(config: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const { home } = await createInstallation(config);
  const context = testContext({ env });
  const status = await runCommandLine(['test', '-p', home], context);
  return { status, ...context.printed };
}

/** What APISIX's own tests expect of a config.yaml; those of HTTP routes and of registries come with these. */
describe('a configuration that is refused', () => {
  test.for<[claim: string, config: string, text: string]>([
    [
      'HTTP/2 on one port',
      'apisix: { node_listen: [{ port: 9080, enable_http2: true }] }',
      'port level enable_http2 in node_listen is deprecated',
    ],
    [
      'HTTP/2 on one HTTPS port',
      'apisix: { ssl: { listen: [{ port: 9443, enable_http2: true }] } }',
      'port level enable_http2 in ssl.listen is deprecated',
    ],
    [
      'a boolean where a number belongs',
      'nginx_config: { worker_processes: true }',
      'path[nginx_config->worker_processes] expect',
    ],
    [
      'a variable that is not set',
      'nginx_config: { worker_processes: "${{NOT_SET_ANYWHERE}}" }',
      "can't find environment variable NOT_SET_ANYWHERE",
    ],
    ['a text for dns_resolver_valid', 'apisix: { dns_resolver_valid: "/apisix" }', 'dns_resolver_valid'],
    [
      'a host of etcd without a scheme',
      'deployment: { role: traditional, role_traditional: { config_provider: etcd }, etcd: { host: ["127.0.0.1"], prefix: /apisix } }',
      'property "host" validation failed',
    ],
    [
      'a text for admin_key_required',
      'deployment: { admin: { admin_key_required: invalid-value } }',
      'path[deployment->admin->admin_key_required] expect: boolean, but got: string',
    ],
    [
      'an Admin API for everyone without a key',
      'deployment: { admin: { admin_key: ~, allow_admin: ~ } }',
      'ERROR: missing valid Admin API token.',
    ],
    [
      'the port of the Control API for HTTP',
      'apisix: { node_listen: [9090] }',
      'http listen port 9090 conflicts with control',
    ],
    [
      'the port of the Control API for metrics',
      'apisix: { control: { ip: 127.0.0.1, port: 9091 } }',
      'prometheus port 9091 conflicts with control',
    ],
    [
      'the port of metrics for HTTP',
      'apisix: { node_listen: [9092] }\nplugin_attr: { prometheus: { export_addr: { port: 9092 } } }',
      'http listen port 9092 conflicts with prometheus',
    ],
    [
      'a keyring entry of 20 characters',
      'apisix: { data_encryption: { keyring: ["aaaaaaaaaaaaaaaaaaaa"] } }',
      'failed to validate config',
    ],
    ...[
      '0',
      '65536',
      '"80.5"',
      '"3000-2000"',
      '"0-100"',
      '"100-70000"',
      '"127.0.0.1:0"',
      '"1e3"',
      '"127.0.0.1:"',
    ].map((port): [string, string, string] => [
      `the stream port ${port}`,
      `apisix: { proxy_mode: stream, stream_proxy: { tcp: [${port}] } }`,
      'stream_proxy',
    ]),
  ])('%s', async ([_claim, config, text]) => {
    const { status, stdout, stderr } = await check(config);

    expect(status).toBe(1);
    expect(stdout).not.toContain('successful');
    expect(stderr).toMatch(/^configuration test failed\n/);
    expect(stderr).toContain(text);
  });
});

describe('a configuration that is taken', () => {
  test.for<[claim: string, config: string, env: Record<string, string>]>([
    ['nothing at all', '# nothing', {}],
    ['variables with blanks in their braces', 'nginx_config: { worker_processes: "${{ N }}" }', { N: '2' }],
    ['a default with dots, colons and slashes', 'nginx_config: { error_log: "${{LOG:=logs/a.b:c}}" }', {}],
    ['a service discovery that nobody knows', 'discovery: { unknown: {} }', {}],
    [
      'names and addresses of stream ports',
      'apisix: { proxy_mode: stream, stream_proxy: { tcp: ["localhost:9100"], udp: ["127.0.0.1:9101"] } }',
      {},
    ],
    [
      'ranges of stream ports',
      'apisix: { proxy_mode: stream, stream_proxy: { tcp: ["2000-2005", { addr: "5000-5005", tls: true }], udp: ["9300-9305"] } }',
      {},
    ],
    [
      'a keyring entry of 16 characters',
      'apisix: { data_encryption: { keyring: ["aaaaaaaaaaaaaaaa"] } }',
      {},
    ],
  ])('%s', async ([_claim, config, env]) => {
    const outcome = await check(config, env);

    expect([outcome.status, outcome.stderr]).toEqual([0, '']);
    expect(outcome.stdout).toMatch(/configuration test is successful\n$/);
  });

  test('an Admin API whose key is bypassed, with a warning', async () => {
    const { status, stdout } = await check('deployment: { admin: { admin_key_required: false } }');

    expect(status).toBe(0);
    expect(stdout).toContain('Warning! Admin key is bypassed');
  });
});

test('test tells programs in JSON what is wrong, or that nothing is', async () => {
  const bad = await createInstallation('apisix:\n  proxy_mode: both\n  stream_proxy: { tcp: 9100 }\n');
  const good = await createInstallation('deployment: { admin: { admin_key_required: false } }');
  const contexts = [testContext({}), testContext({})] as const;

  const statuses = [
    await runCommandLine(['test', '--json', '-p', bad.home], contexts[0]),
    await runCommandLine(['test', '--json', '-p', good.home], contexts[1]),
  ];

  expect(statuses).toEqual([1, 0]);
  expect(JSON.parse(contexts[0].printed.stdout)).toMatchObject({
    ok: false,
    code: 'SETTINGS_INVALID',
    problems: [{ path: 'apisix.proxy_mode' }, { path: 'apisix.stream_proxy.tcp' }],
  });
  expect(JSON.parse(contexts[1].printed.stdout)).toMatchObject({
    ok: true,
    warnings: expect.arrayContaining([expect.stringContaining('Admin key is bypassed')]),
  });
  expect(contexts.map(({ printed }) => printed.stderr)).toEqual(['', '']);
});
