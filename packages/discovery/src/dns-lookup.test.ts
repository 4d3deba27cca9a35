import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDnsLookup } from './dns-lookup.ts';
import type { DnsLookupOptions } from './dns-lookup.ts';
import type { Lookup } from './lookup.ts';

let dns: DnsServer;
let folder: string;

beforeAll(async () => {
  dns = await startDnsServer({
    names: {
      mysql: ['127.0.0.7'],
      'db.example.test': ['127.0.0.9', '127.0.0.8'],
      'six.example.test': ['::1'],
      'db.x.example.test': ['127.0.0.11'],
      'db.x': ['127.0.0.12'],
      'both.example.test': ['127.0.0.5', '::1'],
    },
    ttlSeconds: 7,
  });
  folder = await mkdtemp(join(tmpdir(), 'lookup-'));
});

afterAll(async () => {
  await dns.close();
  await rm(folder, { recursive: true });
});

function lookup(options: DnsLookupOptions = {}): Lookup {
  return createDnsLookup({ servers: [dns.server], search: [], hostsFile: join(folder, 'none'), ...options });
}

describe('a name', () => {
  test('has the addresses of its A records, sorted, and their TTL', async () => {
    expect(await lookup()('db.example.test')).toEqual({
      addresses: ['127.0.0.8', '127.0.0.9'],
      ttlSeconds: 7,
    });
  });

  test('without a dot is asked for as it stands when there is no search list', async () => {
    expect((await lookup()('mysql')).addresses).toEqual(['127.0.0.7']);
  });

  test('with few dots tries the search suffixes first where resolv.conf says so', async () => {
    const resolvConf = join(folder, 'resolv.conf');
    await writeFile(resolvConf, 'search example.test\noptions ndots:2\n');
    const find = createDnsLookup({ servers: [dns.server], resolvConf, hostsFile: join(folder, 'none') });

    expect((await find('db.x')).addresses).toEqual(['127.0.0.11']);
    expect((await find('db.x.')).addresses).toEqual(['127.0.0.12']);
    expect((await find('mysql')).addresses).toEqual(['127.0.0.7']);
  });

  test('without a dot tries the search suffixes first', async () => {
    expect((await lookup({ search: ['nowhere.test', 'example.test'] })('db')).addresses).toHaveLength(2);
  });

  test('with both kinds of records has the IPv4 ones', async () => {
    expect((await lookup()('both.example.test')).addresses).toEqual(['127.0.0.5']);
  });

  test('with only AAAA records has those, unless IPv6 is off', async () => {
    expect((await lookup()('six.example.test')).addresses).toEqual(['::1']);
    await expect(lookup({ ipv6: false })('six.example.test')).rejects.toMatchObject({
      code: 'UPSTREAM_NAME_UNRESOLVED',
    });
  });

  test('keeps for as long as the settings say, whatever the record says', async () => {
    expect((await lookup({ validSeconds: 60 })('mysql')).ttlSeconds).toBe(60);
  });
});

describe('the hosts file', () => {
  test('is asked for IPv6 addresses only where there may be some', async () => {
    const hostsFile = join(folder, 'hosts6');
    await writeFile(hostsFile, '::2 both.example.test six.example.test\n');

    expect((await lookup({ hostsFile })('both.example.test')).addresses).toEqual(['::2']);
    expect((await lookup({ hostsFile, ipv6: false })('both.example.test')).addresses).toEqual(['127.0.0.5']);
  });

  test('goes before DNS, and is read again when it changes', async () => {
    const hostsFile = join(folder, 'hosts');
    const find = lookup({ hostsFile });
    await writeFile(hostsFile, '# comment\n127.0.0.30 MySQL other # tail\n::2 other\n');
    expect((await find('mysql')).addresses).toEqual(['127.0.0.30']);

    await writeFile(hostsFile, 'not-an-address mysql\n');

    expect((await find('mysql')).addresses).toEqual(['127.0.0.7']);
  });
});

describe('a failure', () => {
  test('comes when the time of the look-up is over, whatever its queries may take', async () => {
    const startedMs = performance.now();
    dns.pause();
    try {
      const find = lookup({ timeoutMs: 100, queryTimeoutMs: 20_000, search: ['example.test'] });
      // The other suffixes are not tried: silence does not make another name out of this one.
      await expect(find('mysql')).rejects.toMatchObject({ detail: { reasons: ['ETIMEDOUT'] } });
    } finally {
      dns.resume();
    }
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  test('to hear of A does not lead to AAAA', async () => {
    const find = lookup({ timeoutMs: 100, queryTimeoutMs: 30, tries: 1 });
    dns.pause();
    const found = find('six.example.test').catch((error: unknown) => error);
    await found.finally(() => dns.resume());

    expect(await found).toMatchObject({ detail: { reasons: ['ETIMEDOUT'] } });
  });

  test('says that the name does not exist, and who was asked', async () => {
    await expect(lookup()('absent.example.test')).rejects.toMatchObject({
      code: 'UPSTREAM_NAME_UNRESOLVED',
      message: expect.stringMatching(
        new RegExp(`"absent.example.test" has no address: .* \\(asked ${dns.server}\\)`),
      ),
    });
  });

  test('says that nobody answered', async () => {
    dns.pause();
    try {
      await expect(lookup({ queryTimeoutMs: 100, tries: 1 })('mysql')).rejects.toMatchObject({
        code: 'UPSTREAM_NAME_UNRESOLVED',
        message: expect.stringContaining('no answer in time'),
      });
    } finally {
      dns.resume();
    }
  });
});
