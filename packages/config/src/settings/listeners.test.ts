import { describe, expect, test } from 'vitest';
import { httpListeners, streamListeners } from './listeners.ts';
import { settingsFrom } from './settings-from.ts';
import type { SettingsInput } from './settings-from.ts';
import type { StreamProxyEntry } from './settings.ts';

type Entry = number | string | StreamProxyEntry;
const tcp = (...entries: readonly Entry[]) =>
  settingsFrom({ apisix: { proxy_mode: 'stream', stream_proxy: { tcp: entries } } });
const http = (node_listen: number | readonly object[], enable_ipv6 = true) =>
  settingsFrom({ apisix: { node_listen, enable_ipv6 } });

describe('stream_proxy.tcp', () => {
  test.for<readonly [Entry, readonly string[]]>([
    [9100, ['0.0.0.0 9100']],
    ['9100', ['0.0.0.0 9100']],
    ['*:9100', ['0.0.0.0 9100']],
    ['9100-9102', ['0.0.0.0 9100', '0.0.0.0 9101', '0.0.0.0 9102']],
    ['127.0.0.1:9101', ['127.0.0.1 9101']],
    ['127.0.0.1:4000-4001', ['127.0.0.1 4000', '127.0.0.1 4001']],
    ['[::1]:9102', ['::1 9102']],
    ['[::1]:1-2', ['::1 1', '::1 2']],
    ['localhost:9100', ['localhost 9100']],
    [{ addr: 5000 }, ['0.0.0.0 5000']],
    [{ addr: '5000-5001', tls: false, proxy_protocol: false }, ['0.0.0.0 5000', '0.0.0.0 5001']],
    ['1', ['0.0.0.0 1']],
    ['65535', ['0.0.0.0 65535']],
  ])('%j listens on %j', ([entry, addresses]) => {
    expect(streamListeners(tcp(entry)).map(({ host, port }) => `${host} ${port}`)).toStrictEqual(addresses);
  });

  test.for<readonly [Entry, string]>([
    [0, 'port out of range (1-65535): 0'],
    [65_536, 'port out of range (1-65535): 65536'],
    ['0-100', 'port out of range (1-65535): 0'],
    ['100-70000', 'port out of range (1-65535): 70000'],
    ['127.0.0.1:0', 'port out of range (1-65535): 0'],
    ['127.0.0.1:65536', 'port out of range (1-65535): 65536'],
    ['3000-2000', 'invalid port range (start > end): 3000-2000'],
    ['[::1]:2-1', 'invalid port range (start > end): [::1]:2-1'],
    ['127.0.0.1:', 'missing port: 127.0.0.1:'],
    ['[::1]', 'missing port: [::1]'],
    ['', 'missing port: '],
    ['80.5', 'invalid port format: 80.5'],
    ['1e3', 'invalid port format: 1e3'],
    ['1-2-3', 'invalid port format: 1-2-3'],
    ['-5', 'invalid port format: -5'],
    [':9100', 'invalid port format: :9100'],
    ['::1:9100', 'invalid port format: ::1:9100'],
    ['port', 'invalid port format: port'],
  ])('%j is refused: %s', ([entry, why]) => {
    expect(() => tcp(entry)).toThrow(`invalid stream_proxy.tcp entry: ${why} (apisix.stream_proxy.tcp[1]: `);
  });

  test.for<readonly [Omit<StreamProxyEntry, 'addr'>, object]>([
    [{}, {}],
    [{ max_connections: 1 }, { maxConnections: 1 }],
    [{ connection_rate: 0.5 }, { connectionRate: { perSecond: 0.5, burst: 1 } }],
    [{ connection_rate: 12.5 }, { connectionRate: { perSecond: 12.5, burst: 13 } }],
    [{ connection_rate: 10, connection_burst: 1 }, { connectionRate: { perSecond: 10, burst: 1 } }],
  ])('%j limits every port of the entry by %j', ([fields, limits]) => {
    const listeners = streamListeners(tcp({ addr: '9100-9101', ...fields }));

    expect(listeners.map((listener) => listener.limits)).toStrictEqual([limits, limits]);
  });

  test('asks silent clients on every port of an entry with tcp_keepalive', () => {
    const listeners = streamListeners(tcp({ addr: '9100-9101', tcp_keepalive: 60 }, 9102));

    expect(listeners.map((listener) => listener.keepAliveSeconds)).toStrictEqual([60, 60, undefined]);
  });

  test.for<readonly [object, string]>([
    [{ max_connections: 0 }, 'max_connections: expected a whole number from 1 to 1000000000, found 0'],
    [{ max_connections: 1.5 }, 'max_connections: expected a whole number from 1 to 1000000000, found 1.5'],
    [
      { max_connections: 'many' },
      'max_connections: expected a whole number from 1 to 1000000000, found "many"',
    ],
    [{ connection_rate: 0 }, 'connection_rate: expected a number above 0, at most 1000000, found 0'],
    [{ connection_rate: '5/s' }, 'connection_rate: expected a number above 0, at most 1000000, found "5/s"'],
    [
      { connection_rate: 1, connection_burst: 0 },
      'connection_burst: expected a whole number from 1 to 1000000, found 0',
    ],
    [{ tcp_keepalive: 0.5 }, 'tcp_keepalive: expected a whole number from 1 to 32767, found 0.5'],
    [{ connection_burst: 5 }, 'connection_burst: expected connection_rate beside it, found 5'],
  ])('%j is refused: %s', ([fields, why]) => {
    expect(() => tcp({ addr: 9100, ...fields })).toThrow(`(apisix.stream_proxy.tcp[1].${why})`);
  });

  test('tells of every entry that is wrong', () => {
    expect(() => tcp(9100, '0-1', { addr: 'x' })).toThrow(
      [
        'settings: invalid stream_proxy.tcp entry: port out of range (1-65535): 0 (apisix.stream_proxy.tcp[2]: found "0-1")',
        'settings: invalid stream_proxy.tcp entry: invalid port format: x (apisix.stream_proxy.tcp[3].addr: found "x")',
      ].join('\n'),
    );
  });

  test('refuses a port that is no whole number, and an entry that is there twice', () => {
    expect(() => tcp(80.5)).toThrow('failed to validate item 1: object matches none of the required');
    expect(() => tcp(9100, 9100)).toThrow('expected unique items but items 1 and 2 are equal');
  });

  test('listens once on an address that is written in two ways', () => {
    expect(streamListeners(tcp(9100, '9100', '9099-9101')).map(({ port }) => port)).toStrictEqual([
      9100, 9099, 9101,
    ]);
  });

  test('is passed over, unread, in proxy_mode http', () => {
    const settings = settingsFrom({ apisix: { proxy_mode: 'http', stream_proxy: { tcp: ['nonsense'] } } });

    expect(streamListeners(settings)).toStrictEqual([]);
  });
});

describe('stream_proxy.udp', () => {
  const udp = (...entries: readonly (number | string)[]) =>
    settingsFrom({ apisix: { proxy_mode: 'stream', stream_proxy: { udp: entries } } });

  test.for<readonly [number | string, readonly string[]]>([
    [53, ['udp 0.0.0.0 53']],
    ['53', ['udp 0.0.0.0 53']],
    ['5300-5301', ['udp 0.0.0.0 5300', 'udp 0.0.0.0 5301']],
    ['127.0.0.1:53', ['udp 127.0.0.1 53']],
    ['127.0.0.1:5300-5301', ['udp 127.0.0.1 5300', 'udp 127.0.0.1 5301']],
    ['[::]:53', ['udp :: 53']],
    ['[::1]:5300-5301', ['udp ::1 5300', 'udp ::1 5301']],
  ])('%j listens on %j', ([entry, addresses]) => {
    expect(
      streamListeners(udp(entry)).map(({ protocol, host, port }) => `${protocol} ${host} ${port}`),
    ).toStrictEqual(addresses);
  });

  test.for<readonly [number | string, string]>([
    [0, 'port out of range (1-65535): 0'],
    ['3000-2000', 'invalid port range (start > end): 3000-2000'],
    ['127.0.0.1:', 'missing port: 127.0.0.1:'],
    ['80.5', 'invalid port format: 80.5'],
  ])('%j is refused: %s', ([entry, why]) => {
    expect(() => udp(entry)).toThrow(`invalid stream_proxy.udp entry: ${why} (apisix.stream_proxy.udp[1]: `);
  });

  test('may have the same port as a TCP entry, and as one of the servers, which speak TCP', () => {
    const settings = settingsFrom({
      apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [9100], udp: [9100, 9180] } },
    });

    expect(streamListeners(settings).map(({ protocol, port }) => `${protocol} ${port}`)).toStrictEqual([
      'tcp 9100',
      'udp 9100',
      'udp 9180',
    ]);
  });

  test('knows no PROXY header, whatever holds for TCP', () => {
    const settings = settingsFrom({
      apisix: {
        proxy_mode: 'stream',
        proxy_protocol: { enable_tcp_pp: true, enable_tcp_pp_to_upstream: true },
        stream_proxy: { udp: [53] },
      },
    });

    expect(streamListeners(settings)).toMatchObject([{ proxyProtocol: false, proxyProtocolToUpstream: 0 }]);
  });
});

describe('node_listen', () => {
  test('without an address listens on IPv4 and IPv6', () => {
    expect(httpListeners(http(9080))).toStrictEqual([
      { host: '0.0.0.0', port: 9080 },
      { host: '::', port: 9080 },
    ]);
  });

  test('listens on IPv4 alone when enable_ipv6 is off', () => {
    expect(httpListeners(http([{ port: 81 }], false))).toStrictEqual([{ host: '0.0.0.0', port: 81 }]);
  });

  test('with an address listens there only, on 9080 when no port is given', () => {
    expect(httpListeners(http([{ ip: '127.0.0.2' }, { ip: '[::1]', port: 81 }]))).toStrictEqual([
      { host: '127.0.0.2', port: 9080 },
      { host: '::1', port: 81 },
    ]);
  });

  test('drops a repeated address', () => {
    const again = { ip: '127.0.0.1', port: 81 };

    expect(httpListeners(http([again, { ...again }]))).toStrictEqual([{ host: '127.0.0.1', port: 81 }]);
  });

  test('is not served in proxy_mode stream', () => {
    expect(httpListeners(settingsFrom({ apisix: { proxy_mode: 'stream' } }))).toStrictEqual([]);
  });

  test.for([
    [{ ip: 1, port: 81 }, 'http listen ip format error, must be string (apisix.node_listen[1].ip: '],
    [{ port: '81' }, 'http listen port format error, must be number (apisix.node_listen[1].port: '],
    [{ port: 81, enable_http2: true }, 'enable_http2 in node_listen is deprecatedfrom 3.9 version'],
  ] as const)('refuses %j', ([item, message]) => {
    expect(() => http([item])).toThrow(message);
  });
});

describe('ports of the gateway itself', () => {
  test.for([
    [
      'http listen port 9180 conflicts with admin port (apisix.node_listen: ',
      { apisix: { node_listen: 9180 } },
    ],
    [
      'http listen port 9090 conflicts with control port',
      { apisix: { node_listen: [{ ip: '::1', port: 9090 }] } },
    ],
    ['http listen port 7085 conflicts with status port', { apisix: { node_listen: [7085], status: {} } }],
    [
      'prometheus port 9090 conflicts with control port (plugin_attr.prometheus.export_addr.port: ',
      { plugin_attr: { prometheus: { export_addr: { port: 9090 } } } },
    ],
    ['status port 9180 conflicts with admin port', { apisix: { status: { port: 9180 } } }],
    ['control port 9180 conflicts with admin port', { apisix: { control: { port: 9180 } } }],
    [
      'https listen port 9091 conflicts with prometheus port',
      { apisix: { ssl: { listen: [{ port: 9091 }] } } },
    ],
  ] as const)('%s', ([message, input]) => {
    expect(() => settingsFrom(input)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_PORT_CONFLICT', message: expect.stringContaining(message) }),
    );
  });

  test.for([
    ['the Admin API is off', { apisix: { node_listen: 9180, enable_admin: false } }],
    ['there is no status section', { apisix: { node_listen: 7085 } }],
    ['the Control API is off', { apisix: { node_listen: 9090, enable_control: false } }],
    ['the metrics server is off', { apisix: { node_listen: 9091 }, plugin_attr: {} }],
    ['the system chooses both', { apisix: { node_listen: 0, control: { port: 0 } } }],
  ] as const)('are free when %s', ([, input]) => {
    expect(() => settingsFrom(input)).not.toThrow();
  });
});

describe('TLS of a stream listener', () => {
  const read = (ssl: NonNullable<SettingsInput['apisix']>['ssl'], ...entries: readonly Entry[]): unknown =>
    streamListeners(
      settingsFrom({ apisix: { proxy_mode: 'stream', ssl: ssl ?? {}, stream_proxy: { tcp: entries } } }),
    ).map(({ tls }) => tls);

  test('is that of apisix.ssl, unless the entry says otherwise', () => {
    expect(read({}, 1, { addr: 2, tls: false })).toEqual([undefined, undefined]);
    expect(read({ ssl_ciphers: 'AES128-SHA' }, { addr: 2, tls: true })).toEqual([
      { versions: ['TLSv1.2', 'TLSv1.3'], ciphers: 'AES128-SHA' },
    ]);
    const own = { ssl_protocols: ' TLSv1.3  SSLv3', ssl_ciphers: 'AES256-SHA' };
    expect(read({}, { addr: 2, tls: true, ...own })).toEqual([
      { versions: ['TLSv1.3'], ciphers: 'AES256-SHA' },
    ]);
  });

  test.for([
    [{ ssl_protocols: 'SSLv3' }, 'apisix.stream_proxy.tcp[1].ssl_protocols: expected some of TLSv1.1'],
    [{ ssl_ciphers: 'NONE-SUCH' }, 'apisix.stream_proxy.tcp[1].ssl_ciphers: expected ciphers'],
  ] as const)('%j is a mistake, and its place is told', ([fields, message]) => {
    expect(() => read({}, { addr: 2, tls: true, ...fields })).toThrow(message);
  });

  test('that apisix.ssl makes impossible for two entries is told once', () => {
    const entries = [1, 2].map((addr) => ({ addr, tls: true }));

    expect(() => read({ ssl_protocols: 'none' }, ...entries)).toThrow(
      /^(?:(?!ssl_protocols).)*apisix\.ssl\.ssl_protocols(?:(?!apisix\.ssl\.ssl_protocols)[^])*$/,
    );
  });
});

describe('PROXY headers and passthrough of a stream listener', () => {
  const flagsOf = (apisix: SettingsInput['apisix']): unknown =>
    streamListeners(settingsFrom({ apisix: { proxy_mode: 'stream', ...apisix } })).map(
      ({ proxyProtocol, proxyProtocolToUpstream, tlsPassthrough }) => [
        proxyProtocol,
        proxyProtocolToUpstream,
        tlsPassthrough,
      ],
    );

  test('are off unless asked for', () => {
    expect(flagsOf({ stream_proxy: { tcp: [9100] } })).toEqual([[false, 0, false]]);
  });

  test('follow the settings for all entries, and an entry has the last word', () => {
    const entries = [
      1,
      { addr: 2, proxy_protocol: false, proxy_protocol_to_upstream: false },
      { addr: 3, proxy_protocol_to_upstream: 'v2' as const, tls_passthrough: true },
    ];

    expect(
      flagsOf({
        proxy_protocol: { enable_tcp_pp: true, enable_tcp_pp_to_upstream: true },
        stream_proxy: { tcp: entries },
      }),
    ).toEqual([
      [true, 1, false],
      [false, 0, false],
      [true, 2, true],
    ]);
  });

  test('need the addresses of trusted peers to be addresses', () => {
    expect(() =>
      settingsFrom({
        nginx_config: { stream: { real_ip_from: ['127.0.0.1', '10.0.0.0/8', '999.0.0.0/8'] } },
      }),
    ).toThrow(/real_ip_from\[3\]: expected an ip address or a CIDR block, found "999.0.0.0\/8"/);
  });
});
