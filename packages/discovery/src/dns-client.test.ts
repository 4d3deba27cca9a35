import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer } from '@apisix-ts/testkit';
import { decode, encode } from 'dns-packet';
import type { Packet } from 'dns-packet';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DnsClient } from './dns-client.ts';

const many = Array.from({ length: 60 }, (_, index) => `127.0.1.${index + 1}`);
let dns: DnsServer;

beforeAll(async () => {
  dns = await startDnsServer({
    names: { 'one.test': ['127.0.0.1'], 'many.test': many },
    aliases: { 'alias.test': 'one.test' },
    ttlSeconds: 7,
  });
});

afterEach(() => dns.resume());

afterAll(() => dns.close());

const patient = new AbortController().signal;

/** Loopback has nobody on this port: it is privileged and unassigned. */
const nobody = '127.0.0.1:1';

describe('an answer', () => {
  test('has the records and their TTL', async () => {
    const reply = await new DnsClient({ servers: [dns.server] }).query('one.test', 'A', patient);

    expect(reply).toMatchObject({ records: [{ data: '127.0.0.1' }], ttlSeconds: 7 });
  });

  test('that does not fit into a datagram comes over TCP', async () => {
    const reply = await new DnsClient({ servers: [dns.server] }).query('many.test', 'A', patient);

    expect(reply).toMatchObject({ records: { length: 60 } });
  });

  test('about an alias is that about the name it stands for', async () => {
    const reply = await new DnsClient({ servers: [dns.server] }).query('Alias.Test.', 'A', patient);

    expect(reply).toMatchObject({ records: [{ data: '127.0.0.1' }] });
  });

  test('of another kind than asked for is none', async () => {
    const reply = await new DnsClient({ servers: [dns.server] }).query('one.test', 'AAAA', patient);

    expect(reply).toEqual({ failure: { reason: 'NODATA', isAnswered: true } });
  });
});

describe('several servers', () => {
  test('are asked in turn until one answers, which then goes first', async () => {
    const client = new DnsClient({ servers: [nobody, dns.server] });
    await client.query('one.test', 'A', patient);
    dns.pause();

    const reply = await new Promise((resolve) => {
      void client.query('one.test', 'A', AbortSignal.timeout(100)).then(resolve);
    });

    // The refusal of the other would have come at once, and its place is behind.
    expect(reply).toEqual({ failure: { reason: 'ETIMEDOUT', isAnswered: false } });
  });

  test('are asked on after a refusal', async () => {
    const other = await startDnsServer({ names: { 'one.example': ['127.0.0.2'] } });
    const client = new DnsClient({ servers: [dns.server, other.server] });

    const reply = await client.query('one.example', 'A', patient);
    await other.close();

    expect(reply).toMatchObject({ records: [{ data: '127.0.0.2' }] });
  });
});

describe('a failure', () => {
  test.for([
    ['absent.test', 'NXDOMAIN'],
    ['absent.example', 'REFUSED'],
  ] as const)('has the response code of %s', async ([name, reason]) => {
    const client = new DnsClient({ servers: [dns.server] });

    expect(await client.query(name, 'A', patient)).toEqual({ failure: { reason, isAnswered: true } });
  });

  test('tells that nobody listens', async () => {
    const client = new DnsClient({ servers: [nobody] });

    expect(await client.query('one.test', 'A', patient)).toEqual({
      failure: { reason: 'ECONNREFUSED', isAnswered: false },
    });
  });

  test('ends all queries when the time of the look-up is over', async () => {
    dns.pause();
    const client = new DnsClient({ servers: [dns.server, dns.server], tries: 100 });

    expect(await client.query('one.test', 'A', AbortSignal.timeout(30))).toEqual({
      failure: { reason: 'ETIMEDOUT', isAnswered: false },
    });
  });

  test.for(['', '.', 'a..test', 'a b.test', `${'a'.repeat(64)}.test`, 'x:1', 'ü.test', 'a.'.repeat(128)])(
    'asks nobody about what is no name: %j',
    async (name) => {
      const client = new DnsClient({ servers: [nobody] });

      expect(await client.query(name, 'A', patient)).toEqual({
        failure: { reason: 'EBADNAME', isAnswered: true },
      });
    },
  );
});

test('what does not answer the question is passed over', async () => {
  const forger = createSocket('udp4');
  forger.bind(0, '127.0.0.1');
  await once(forger, 'listening');
  forger.on('message', (bytes, from) => {
    const { id = 0, questions = [] } = decode(bytes);
    const answers: Packet['answers'] = [{ type: 'A', name: 'one.test', data: '127.0.0.66', ttl: 9 }];
    const other = [{ type: 'A' as const, name: 'other.test' }];
    const forged: readonly Packet[] = [
      { type: 'response', id: id ^ 1, questions, answers },
      { type: 'response', id, questions: other, answers },
      { type: 'query', id, questions, answers },
    ];
    const genuine: Packet = {
      ...forged[0],
      id,
      answers: [{ type: 'A', name: 'one.test', data: '127.0.0.9' }],
    };
    for (const reply of [Buffer.from('junk'), ...[...forged, genuine].map((packet) => encode(packet))]) {
      forger.send(reply, from.port, from.address);
    }
  });

  const reply = await new DnsClient({ servers: [`127.0.0.1:${forger.address().port}`] }).query(
    'one.test',
    'A',
    patient,
  );
  forger.close();

  expect(reply).toMatchObject({ records: [{ data: '127.0.0.9' }], ttlSeconds: 0 });
});

test.for(['', 'dns.test', '127.0.0.1:0', '127.0.0.1:65536', '[::1', '::1%eth0'])(
  'a server that is no address is a mistake of the caller: %j',
  (server) => {
    expect(() => new DnsClient({ servers: [server] })).toThrow(TypeError);
  },
);
