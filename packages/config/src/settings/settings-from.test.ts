import { describe, expect, expectTypeOf, test } from 'vitest';
import { settingsFrom } from './settings-from.ts';
import type { SettingsInput } from './settings-from.ts';
import type { Settings } from './settings.ts';

test('fills in every default', () => {
  const settings = settingsFrom({ apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [9100] } } });

  expectTypeOf(settings).toEqualTypeOf<Settings>();
  expect(settings).toMatchObject({
    apisix: { proxy_mode: 'stream', enable_admin: true, control: { ip: '127.0.0.1', port: 9090 } },
    deployment: { role: 'traditional', config_provider: 'embedded', embedded: { path: 'data/apisix.db' } },
    nginx_config: { worker_processes: 'auto', worker_shutdown_timeout: '240s', stream: { half_close: true } },
    stream_plugins: ['ip-restriction', 'limit-conn', 'mqtt-proxy', 'syslog', 'traffic-split'],
    plugin_attr: { prometheus: { enable_export_server: true, export_addr: { port: 9091 } } },
  });
});

test('takes null for a removed default', () => {
  const {
    apisix,
    deployment,
    plugin_attr: attributes,
  } = settingsFrom({
    apisix: { enable_control: null, node_listen: null },
    deployment: { admin: { allow_admin: null, admin_key_required: false } },
    plugin_attr: { prometheus: null },
  });

  expect(apisix).toMatchObject({ enable_control: false, node_listen: [] });
  expect(deployment.admin).not.toHaveProperty('allow_admin');
  expect(attributes.prometheus.enable_export_server).toBe(false);
});

test('keeps a series for a day unless its metric says otherwise', () => {
  const { metrics } = settingsFrom({
    plugin_attr: { prometheus: { metrics: { stream_status: { expire: 0 }, stream_connection_total: null } } },
  }).plugin_attr.prometheus;

  expect(metrics).toEqual({ stream_status: { expire: 0 }, stream_connection_total: { expire: 86_400 } });
  expect(() => settingsFrom({ plugin_attr: { prometheus: { metrics: { any: { expire: -1 } } } } })).toThrow(
    'plugin_attr.prometheus.metrics.any.expire: expected at least 0, found -1',
  );
});

test('traces all sessions once tracing is on', () => {
  const tracingOf = (tracing: object): object =>
    settingsFrom({ nginx_config: { stream: { tracing } } }).nginx_config.stream.tracing;

  expect(tracingOf({})).toEqual({ enable: false, sample_ratio: 1 });
  expect(tracingOf({ enable: true })).toEqual({ enable: true, sample_ratio: 1 });
  expect(() => tracingOf({ sample_ratio: 2 })).toThrow('expected a number from 0 to 1, found 2');
});

test('wants pauses between reads of a secret that are above 0', () => {
  expect(settingsFrom({ apisix: { lru: { secret: { ttl: 0.5 } } } }).apisix.lru.secret).toEqual({
    ttl: 0.5,
    neg_ttl: 60,
  });
  expect(() => settingsFrom({ apisix: { lru: { secret: { ttl: 0 } } } })).toThrow(
    /apisix\.lru\.secret\.ttl: expected seconds, above 0/,
  );
});

test('keeps keys that it does not know', () => {
  const input: SettingsInput & { readonly [key: string]: unknown } = {
    more: { x: [1] },
    plugin_attr: { mine: { y: 2 } },
  };

  expect(settingsFrom(input)).toMatchObject({ more: { x: [1] }, plugin_attr: { mine: { y: 2 } } });
});

test('freezes the result, and never the input or the defaults', () => {
  const tcp = [9100];
  const settings = settingsFrom({ apisix: { stream_proxy: { tcp } } });

  expect(Object.isFrozen(settings.apisix.control)).toBe(true);
  expect(Object.isFrozen(settings.apisix.stream_proxy?.tcp)).toBe(true);
  expect(Object.isFrozen(tcp)).toBe(false);
  expect(settingsFrom({}).apisix).not.toHaveProperty('stream_proxy');
});

describe('the store', () => {
  const host = '["http://127.0.0.2:2379"]';

  test.for([
    ['is embedded when nothing is said', undefined, {}, 'embedded'],
    ['is etcd when etcd is named', { etcd: { prefix: '/x' } }, {}, 'etcd'],
    [
      'is etcd when the environment names its hosts',
      undefined,
      { APISIX_DEPLOYMENT_ETCD_HOST: host },
      'etcd',
    ],
    ['is embedded when etcd is removed', { etcd: null }, {}, 'embedded'],
    [
      'is what config_provider says',
      { etcd: { prefix: '/x' }, role_traditional: { config_provider: 'embedded' } },
      {},
      'embedded',
    ],
  ] as const)('%s', ([, deployment, env, provider]) => {
    expect(
      settingsFrom({ deployment: deployment ?? { role: 'traditional' } }, { env }).deployment.config_provider,
    ).toBe(provider);
  });

  test('has the hosts of the environment before those of the file', () => {
    const deployment = { etcd: { host: ['http://127.0.0.1:1'] } };

    expect(
      settingsFrom({ deployment }, { env: { APISIX_DEPLOYMENT_ETCD_HOST: host } }).deployment.etcd,
    ).toMatchObject({
      host: ['http://127.0.0.2:2379'],
      prefix: '/apisix',
    });
  });

  test('of a fleet needs its addresses', () => {
    const deployment = { etcd: null, role_traditional: { config_provider: 'etcd' } } as const;

    expect(() => settingsFrom({ deployment })).toThrow(
      'invalid deployment traditional configuration: property "etcd" is required',
    );
  });
});

describe('worker_processes', () => {
  test.for([
    ['a number', { worker_processes: 2 }, false, {}, 2],
    ['0 for the calling thread', { worker_processes: 0 }, false, {}, 0],
    ['digits', { worker_processes: '3' }, false, {}, 3],
    ['any other text as auto', { worker_processes: 'many' }, false, {}, 'auto'],
    ['one in development mode', { worker_processes: 4 }, true, {}, 1],
    [
      'the environment before the file',
      { worker_processes: 4 },
      false,
      { APISIX_WORKER_PROCESSES: '8.7' },
      8,
    ],
    ['the environment before development mode', {}, true, { APISIX_WORKER_PROCESSES: '8' }, 8],
  ] as const)('takes %s', ([, given, enable_dev_mode, env, expected]) => {
    // Text is what a file may hold; the type for programs is narrower.
    const nginx_config: object = given;
    const settings = settingsFrom({ apisix: { enable_dev_mode }, nginx_config }, { env });

    expect(settings.nginx_config.worker_processes).toBe(expected);
    expect(settings.apisix.enable_reuseport).toBe(!enable_dev_mode);
  });

  test('refuses an environment variable that is no number', () => {
    expect(() => settingsFrom({}, { env: { APISIX_WORKER_PROCESSES: 'two' } })).toThrow(
      'APISIX_WORKER_PROCESSES: expected a number, at least 0, found "two"',
    );
  });
});

test('gives a status section its address', () => {
  expect(settingsFrom({ apisix: { status: { port: 7000 } } }).apisix.status).toStrictEqual({
    ip: '127.0.0.1',
    port: 7000,
  });
  expect(settingsFrom({}).apisix).not.toHaveProperty('status');
});

describe('the Admin API', () => {
  test.for([
    ['missing', null],
    ['empty', []],
  ] as const)('needs a key once others may come and the list is %s', ([, admin_key]) => {
    const admin = { admin_key, allow_admin: ['0.0.0.0/0', '127.0.0.0/24'] };

    expect(() => settingsFrom({ deployment: { admin } })).toThrow('ERROR: missing valid Admin API token.');
  });

  test.for([
    ['only this machine may come', { admin_key: null }, true],
    ['no key is required', { admin_key: null, allow_admin: null, admin_key_required: false }, true],
    ['it is off', { admin_key: null, allow_admin: null }, false],
  ] as const)('needs none when %s', ([, admin, enable_admin]) => {
    expect(() => settingsFrom({ apisix: { enable_admin }, deployment: { admin } })).not.toThrow();
  });

  test.for(['127.0.0', '127.0.0.0/33', '::1/129', '1.2.3.4/', 'localhost'])(
    'refuses to allow %j',
    (address) => {
      expect(() =>
        settingsFrom({ deployment: { admin: { allow_admin: ['::1', '10.0.0.0/8', address] } } }),
      ).toThrow(
        'failed to validate item 3: object matches none of the required (deployment.admin.allow_admin[3]: ',
      );
    },
  );
});

describe('is refused, as the reference does', () => {
  test.for([
    [
      { stream_plugins: ['prometheus'], plugin_attr: {} },
      'L4 prometheus metric should be exposed via export server',
    ],
    [
      { nginx_config: { worker_shutdown_timeout: '1x' } },
      'invalid data: x (nginx_config.worker_shutdown_timeout: ',
    ],
    [
      { nginx_config: { error_log_level: 'loud' } },
      'property "error_log_level" validation failed: matches none of',
    ],
    [{ deployment: { role: 'boss' } }, 'property "role" validation failed: matches none of the enum values'],
    [{ deployment: { etcd: { host: ['127.0.0.1'] } } }, 'property "host" validation failed'],
    [{ apisix: { dns_resolver: [] } }, 'expect array to have at least 1 items'],
    [{ discovery: { dns: {} } }, 'invalid discovery dns configuration: value should match only one schema'],
    [
      { discovery: { dns: { servers: ['127.0.0.1'], resolv_conf: '/etc/resolv.conf' } } },
      'invalid discovery dns configuration: value should match only one schema',
    ],
    [
      { discovery: { dns: { servers: [] } } },
      'property "servers" validation failed: expect array to have at',
    ],
    [
      { discovery: { dns: { servers: ['127.0.0.1'], order: ['A', 'A'] } } },
      'invalid discovery dns configuration: property "order" validation failed: expected unique items',
    ],
    [
      { discovery: { dns: { servers: ['127.0.0.1'], order: ['MX'] } } },
      'failed to validate item 1: matches none of the enum values (discovery.dns.order[1]: ',
    ],
    [
      { discovery: { dns: 1 } },
      'invalid discovery dns configuration: wrong type: expected object, got number',
    ],
    [{ discovery: [1] }, 'property "discovery" validation failed: wrong type: expected object'],
  ] as const)('%j', ([input, message]) => {
    const unchecked: object = input;

    expect(() => settingsFrom(unchecked)).toThrow(message);
  });
});

describe('a name server', () => {
  test.for(['127.0.0.1', '127.0.0.1:8600', '::1', '[::1]', '[::1]:53'])('may be %s', (server) => {
    expect(() =>
      settingsFrom({ apisix: { dns_resolver: [server] }, discovery: { dns: { servers: [server] } } }),
    ).not.toThrow();
  });

  test.for(['', 'dns.test', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:x', '::1:53:', '[127.0.0.1]:53'])(
    'may not be %j',
    (server) => {
      expect(() => settingsFrom({ apisix: { dns_resolver: ['::1', server] } })).toThrow(
        `invalid apisix.dns_resolver entry: ${server} (apisix.dns_resolver: expected an ip address, with a port as`,
      );
      expect(() => settingsFrom({ discovery: { dns: { servers: [server] } } })).toThrow(
        `invalid discovery.dns.servers entry: ${server}`,
      );
    },
  );
});

test('a discovery that this gateway does not know is kept', () => {
  const discovery: object = { nacos: { host: 1 } };

  expect(settingsFrom({ discovery }).discovery).toEqual({ nacos: { host: 1 } });
});

describe('is refused until the gateway can do it', () => {
  const stream = (more: object) => ({ apisix: { proxy_mode: 'http&stream', ...more } });

  test.for([
    [
      'PROXY protocol on HTTP',
      { apisix: { proxy_protocol: { listen_http_port: 1 } } },
      'listen_http_port: found 1',
    ],
    [
      'a unix socket',
      stream({ stream_proxy: { tcp: ['unix:/x'] } }),
      'apisix.stream_proxy.tcp[1]: found "unix:/x"',
    ],
    [
      'a unix socket for datagrams',
      stream({ stream_proxy: { udp: ['unix:/x'] } }),
      'apisix.stream_proxy.udp[1]: found "unix:/x"',
    ],
  ] as const)('%s', ([, input, place]) => {
    const unchecked: object = input;

    expect(() => settingsFrom(unchecked)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_UNSUPPORTED', message: expect.stringContaining(place) }),
    );
  });

  test('but not where it is off or unread', () => {
    const entry = { addr: 1, tls: false, proxy_protocol: false };

    expect(() =>
      settingsFrom({ apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [entry] } } }),
    ).not.toThrow();
    expect(() =>
      settingsFrom({ apisix: { proxy_mode: 'http', stream_proxy: { udp: ['unix:/x'] } } }),
    ).not.toThrow();
  });
});
