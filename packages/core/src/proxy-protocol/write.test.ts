import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProxyHeaderParser } from './parse.ts';
import type { IpAddresses, ProxyAddresses, ProxyHeader, ProxyTlvs } from './proxy-header.ts';
import { writeProxyV1, writeProxyV2, writeProxyV2Local } from './write.ts';

function between(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): IpAddresses {
  return {
    family: 'ip',
    transport: 'stream',
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  };
}

function parse(bytes: Uint8Array): ProxyHeader {
  const answer = new ProxyHeaderParser({ limitBytes: 65_551 }).push(bytes);
  if (answer.kind !== 'parsed') throw new Error(`not read back: ${JSON.stringify(answer)}`);
  expect(answer.consumedBytes).toBe(bytes.length);
  return answer.value;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('version 1', () => {
  test.for([
    [between('192.0.2.1', 56_324, '198.51.100.2', 443), 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'],
    [between('2001:DB8:0::1', 1, '::1', 2), 'PROXY TCP6 2001:db8::1 ::1 1 2\r\n'],
    [between('::ffff:192.0.2.1', 1, '127.0.0.1', 2), 'PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n'],
    [between('2001:db8::1', 1, '127.0.0.1', 29_103), 'PROXY TCP6 2001:db8::1 127.0.0.1 1 29103\r\n'],
    [between('192.0.2.1', 1, '::1', 2), 'PROXY TCP4 192.0.2.1 ::1 1 2\r\n'],
    [{ family: 'unix', transport: 'stream', sourcePath: '/a', destinationPath: '/b' }, 'PROXY UNKNOWN\r\n'],
  ] as const)('of %j is %j', ([addresses, line]) => {
    expect(text(writeProxyV1(addresses))).toBe(line);
  });

  test('is never longer than the 107 bytes a reader must take', () => {
    const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

    expect(writeProxyV1(between(longest, 65_535, longest, 65_535)).length).toBe(104);
  });

  test('of a name is a programming mistake', () => {
    expect(() => writeProxyV1(between('localhost', 1, '127.0.0.1', 2))).toThrow(TypeError);
  });
});

const fixed = '0d0a0d0a000d0a515549540a';

describe('version 2', () => {
  test.for([
    [between('192.0.2.1', 56_324, '198.51.100.2', 443), `${fixed}2111000cc0000201c6336402dc0401bb`],
    [
      between('2001:db8::1', 1, '::2', 65_535),
      `${fixed}2121002420010db8${'00'.repeat(11)}01${'00'.repeat(15)}020001ffff`,
    ],
    [
      { ...between('192.0.2.1', 1, '::2', 2), transport: 'datagram' },
      `${fixed}21220024${'00'.repeat(10)}ffffc0000201${'00'.repeat(15)}0200010002`,
    ],
  ] as const)('of %j is as the specification has it', ([addresses, bytes]) => {
    expect(hex(writeProxyV2(addresses))).toBe(bytes);
  });

  test('of a connection of our own is LOCAL', () => {
    expect(hex(writeProxyV2Local())).toBe(`${fixed}20000000`);
    expect(parse(writeProxyV2Local())).toEqual({ version: 2, isLocal: true, addresses: undefined, tlvs: {} });
  });

  test('with a checksum ends with it', () => {
    const addresses = between('192.0.2.1', 56_324, '198.51.100.2', 443);

    const header = writeProxyV2(addresses, { hasChecksum: true });

    expect(hex(header.subarray(28, 31))).toBe('030004');
    expect(parse(header).addresses).toEqual(addresses);
    header[20] = (header[20] ?? 0) ^ 1;
    expect(new ProxyHeaderParser().push(header).kind).toBe('malformed');
  });

  test.for<readonly [what: string, addresses: ProxyAddresses, tlvs: ProxyTlvs]>([
    [
      'a unix path of 109 bytes',
      { family: 'unix', transport: 'stream', sourcePath: 'a'.repeat(109), destinationPath: '' },
      {},
    ],
    ['a unique id of 129 bytes', between('::1', 1, '::1', 2), { uniqueId: new Uint8Array(129) }],
    ['an ALPN of 256 bytes', between('::1', 1, '::1', 2), { alpn: 'a'.repeat(256) }],
    [
      'a TLV of 65536 bytes',
      between('::1', 1, '::1', 2),
      { others: [{ type: 0xe0, value: new Uint8Array(65_536) }] },
    ],
    [
      'more bytes than the length can tell',
      between('::1', 1, '::1', 2),
      { others: [{ type: 0xe0, value: new Uint8Array(65_500) }] },
    ],
  ])('with %s is a programming mistake', ([, addresses, tlvs]) => {
    expect(() => writeProxyV2(addresses, { tlvs })).toThrow(TypeError);
  });
});

const port = fc.integer({ min: 0, max: 65_535 });
const ipv4 = fc.ipV4();
const ipv6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const transport = fc.constantFrom('stream' as const, 'datagram' as const);
const ipEndpoint = fc.record({ address: fc.oneof(ipv4, ipv6), port });
const ipAddresses = fc.record({
  family: fc.constant('ip' as const),
  transport,
  source: ipEndpoint,
  destination: ipEndpoint,
});
const path = fc.oneof(
  fc.constantFrom('', '@abstract', '/run/ä.sock'),
  fc.stringMatching(/^\/[a-z/]{0,106}$/),
);
const unixAddresses = fc.record({
  family: fc.constant('unix' as const),
  transport,
  sourcePath: path,
  destinationPath: path,
});
const bytes = fc.uint8Array({ maxLength: 128 });
const word = fc.string({ unit: 'grapheme', maxLength: 50 });
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 50 });
const others = fc.array(fc.record({ type: fc.integer({ min: 0xe0, max: 0xef }), value: bytes }), {
  minLength: 1,
  maxLength: 4,
});
const optional = { requiredKeys: [] };
const ssl = fc
  .record({ hasCertificate: fc.boolean(), hasSessionCertificate: fc.boolean(), isTls: fc.boolean() })
  .chain((flags) => {
    const mayVerify = flags.hasCertificate || flags.hasSessionCertificate;
    const isVerified = mayVerify ? fc.boolean() : fc.constant(false);
    const rest = {
      version: ascii,
      commonName: word,
      cipher: ascii,
      signatureAlgorithm: ascii,
      keyAlgorithm: ascii,
    };
    return fc
      .tuple(isVerified, fc.record({ ...rest, others }, optional))
      .map(([verified, named]) => ({ ...flags, isVerified: verified, ...named }));
  });
const tlvs = fc.record(
  { alpn: ascii, authority: word, uniqueId: bytes, ssl, netns: ascii, others },
  optional,
);

test('what version 2 writes is read back the same, all TLVs and the checksum included', () => {
  fc.assert(
    fc.property(
      fc.oneof(ipAddresses, unixAddresses),
      tlvs,
      fc.boolean(),
      (addresses, written, hasChecksum) => {
        const header = parse(writeProxyV2(addresses, { tlvs: written, hasChecksum }));

        expect(header).toEqual({ version: 2, isLocal: false, addresses, tlvs: written });
      },
    ),
    { numRuns: 1000 },
  );
});

test('what version 1 writes is read back the same', () => {
  fc.assert(
    fc.property(ipAddresses, (addresses) => {
      const header = parse(writeProxyV1(addresses));

      expect(header.addresses).toEqual({ ...addresses, transport: 'stream' });
    }),
  );
});
