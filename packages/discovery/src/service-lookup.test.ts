import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lookup } from './lookup.ts';
import { createServiceLookup } from './service-lookup.ts';
import type { Endpoint, ServiceLookupOptions } from './service-lookup.ts';

let dns: DnsServer;
let folder: string;

beforeAll(async () => {
  dns = await startDnsServer({
    names: {
      'a.test': ['127.0.0.1'],
      'b.test': ['127.0.0.3', '127.0.0.2'],
      'six.test': ['::1'],
    },
    services: {
      'tiers.test': [
        { target: 'a.test', port: 3306, priority: 1, weight: 0 },
        { target: 'b.test', port: 3307, priority: 5, weight: 10 },
      ],
      'six-only.test': [{ target: 'six.test', port: 3306, priority: 0, weight: 2 }],
      'half.test': [
        { target: 'a.test', port: 3306, priority: 0, weight: 1 },
        { target: 'gone.test', port: 3306, priority: 0, weight: 1 },
        { target: 'b.test', port: 0, priority: 0, weight: 1 },
      ],
      'twice.test': [
        { target: 'a.test', port: 3306, priority: 0, weight: 1 },
        { target: 'also-a.test', port: 3306, priority: 0, weight: 2 },
        { target: 'a.test', port: 3306, priority: 7, weight: 4 },
      ],
      'gone-only.test': [{ target: 'gone.test', port: 3306, priority: 0, weight: 1 }],
      // Has addresses too: the order decides.
      'b.test': [{ target: 'a.test', port: 9000, priority: 0, weight: 1 }],
    },
    aliases: { 'alias.test': 'b.test', 'also-a.test': 'a.test' },
    ttlSeconds: 7,
  });
  folder = await mkdtemp(join(tmpdir(), 'services-'));
});

afterAll(async () => {
  await dns.close();
  await rm(folder, { recursive: true });
});

function lookup(options: ServiceLookupOptions = {}): Lookup<Endpoint> {
  return createServiceLookup({ servers: [dns.server], ...options });
}

describe('the SRV records of a service', () => {
  test('give ports, tiers and weights: a lower priority goes first, weight 0 is 1, addresses share', async () => {
    expect(await lookup()('tiers.test')).toEqual({
      addresses: [
        { host: 'tiers.test', address: '127.0.0.1', port: 3306, weight: 1, priority: -1 },
        { host: 'tiers.test', address: '127.0.0.2', port: 3307, weight: 5, priority: -5 },
        { host: 'tiers.test', address: '127.0.0.3', port: 3307, weight: 5, priority: -5 },
      ],
      ttlSeconds: 7,
    });
  });

  test('have ports of their own, whatever the service name says', async () => {
    const { addresses } = await lookup()('tiers.test:1');

    expect(addresses.map(({ port }) => port)).toEqual([3306, 3307, 3307]);
  });

  test('may lead to IPv6 addresses, unless IPv6 is off', async () => {
    expect((await lookup()('six-only.test')).addresses).toMatchObject([{ address: '::1', weight: 2 }]);
    await expect(lookup({ ipv6: false })('six-only.test')).rejects.toMatchObject({
      code: 'UPSTREAM_NAME_UNRESOLVED',
    });
  });

  test('without a target that exists, or without a port, are left out', async () => {
    expect((await lookup()('half.test')).addresses).toMatchObject([{ address: '127.0.0.1', port: 3306 }]);
    await expect(lookup()('gone-only.test')).rejects.toThrow(/"gone-only.test" has no address/);
  });

  test('for one address and port are one endpoint', async () => {
    expect((await lookup()('twice.test')).addresses).toEqual([
      { host: 'twice.test', address: '127.0.0.1', port: 3306, weight: 3, priority: 0 },
    ]);
  });
});

describe('the addresses of a service', () => {
  test('take the port of its name', async () => {
    expect(await lookup()('a.test:5432')).toEqual({
      addresses: [{ host: 'a.test', address: '127.0.0.1', port: 5432, weight: 1, priority: 0 }],
      ttlSeconds: 7,
    });
    expect((await lookup()('six.test:5432')).addresses).toMatchObject([{ address: '::1', port: 5432 }]);
  });

  test.for(['a.test', 'a.test:0', 'a.test:70000', 'a.test:x'])(
    'are of no use without one: %s',
    async (name) => {
      await expect(lookup()(name)).rejects.toMatchObject({ code: 'UPSTREAM_NAME_UNRESOLVED' });
    },
  );

  test('without a port are explained', async () => {
    await expect(lookup()('a.test')).rejects.toThrow(
      /the service name "a.test" has no address: .*it takes an SRV record, or a port in service_name \(asked 127/,
    );
  });
});

describe('the order', () => {
  test('decides between SRV records and addresses', async () => {
    expect((await lookup()('b.test:80')).addresses).toMatchObject([{ address: '127.0.0.1', port: 9000 }]);
    expect((await lookup({ order: ['A', 'SRV'] })('b.test:80')).addresses).toMatchObject([
      { address: '127.0.0.2', port: 80 },
      { address: '127.0.0.3', port: 80 },
    ]);
  });

  test('leaves out what it does not name', async () => {
    await expect(lookup({ order: ['SRV', 'AAAA'] })('a.test:80')).rejects.toMatchObject({
      code: 'UPSTREAM_NAME_UNRESOLVED',
    });
  });

  test('that has only CNAME beside SRV follows aliases to SRV records', async () => {
    const found = await lookup({ order: ['SRV', 'CNAME'] })('alias.test');

    expect(found.addresses).toMatchObject([{ host: 'alias.test', address: '127.0.0.1', port: 9000 }]);
  });

  test('begins with the type of the last answer where it says so', async () => {
    const find = lookup({ order: ['last', 'SRV', 'A'] });
    const found = await find('a.test:80');

    await dns.setServices({ 'a.test': [{ target: 'b.test', port: 1, priority: 0, weight: 1 }] });

    expect((await find('a.test:80')).addresses).toEqual(found.addresses);
    expect((await lookup({ order: ['SRV', 'A'] })('a.test:80')).addresses).toMatchObject([
      { port: 1 },
      { port: 1 },
    ]);
  });
});

describe('resolv_conf', () => {
  test('has the servers and the search list', async () => {
    const resolvConf = join(folder, 'resolv.conf');
    await writeFile(resolvConf, 'search nowhere.test test\nnameserver 127.0.0.1\n');

    // The file cannot name a port, so the servers of the test are asked for the whole name only.
    await expect(lookup({ resolvConf })('a:80')).rejects.toMatchObject({ code: 'UPSTREAM_NAME_UNRESOLVED' });
    await expect(
      createServiceLookup({ resolvConf, queryTimeoutMs: 100, tries: 1 })('a.test:80'),
    ).rejects.toThrow(/asked 127\.0\.0\.1\)/);
  });
});

test('silence about SRV is not taken for its absence', async () => {
  dns.pause();
  try {
    await expect(lookup({ queryTimeoutMs: 50, tries: 1 })('a.test:80')).rejects.toMatchObject({
      detail: { reasons: ['ETIMEDOUT'] },
    });
  } finally {
    dns.resume();
  }
});
