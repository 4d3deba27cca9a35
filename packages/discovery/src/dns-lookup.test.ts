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
      await expect(lookup({ timeoutMs: 100, tries: 1 })('mysql')).rejects.toMatchObject({
        code: 'UPSTREAM_NAME_UNRESOLVED',
        message: expect.stringContaining('no answer in time'),
      });
    } finally {
      dns.resume();
    }
  });
});
