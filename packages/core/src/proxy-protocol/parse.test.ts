import { someBytes, splitAtEach, splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { crc32c } from './crc32c.ts';
import { ProxyHeaderParser } from './parse.ts';
import type { ProxyHeader } from './proxy-header.ts';

function feed(pieces: Iterable<Uint8Array>, parser = new ProxyHeaderParser()): HeadAnswer<ProxyHeader> {
  for (const piece of pieces) {
    // A view is valid during the call only; wires hand out Buffers.
    const view = Buffer.from(piece);
    const answer = parser.push(view);
    view.fill(0xee);
    if (answer.kind !== 'need-more') return answer;
  }
  return { kind: 'need-more' };
}

/** Expects one answer to these bytes, with a payload behind them or not, however they are cut. */
function expectAnswer(bytes: Uint8Array, expected: unknown): void {
  const followed = Buffer.concat([bytes, someBytes(40)]);
  expect(feed([bytes])).toEqual(expected);
  expect(feed([followed])).toEqual(expected);
  expect(feed(splitBytes(followed, 1))).toEqual(expected);
  for (const pieces of splitAtEach(followed)) expect(feed(pieces)).toEqual(expected);
}

function expectNeedsAll(bytes: Uint8Array): void {
  for (const [head] of splitAtEach(bytes)) {
    if (head.length < bytes.length) expect(feed([head])).toEqual({ kind: 'need-more' });
  }
}

describe('a header of version 1', () => {
  const line = (text: string): Uint8Array => Buffer.from(`${text}\r\n`, 'latin1');

  test.for([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 56324 443', '192.0.2.1', 56_324, '198.51.100.2', 443],
    [
      'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535',
      '255.255.255.255',
      65_535,
      '255.255.255.255',
      65_535,
    ],
    ['PROXY TCP6 2001:DB8:0:0::1 ::2 0 1', '2001:db8::1', 0, '::2', 1],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::2 1 2', '192.0.2.1', 1, '::2', 2],
    ['PROXY TCP6 2001:db8::1 127.0.0.1 1 29103', '2001:db8::1', 1, '127.0.0.1', 29_103],
    ['PROXY TCP4 192.0.2.1 ::1 1 2', '192.0.2.1', 1, '::1', 2],
  ] as const)('%s is read', ([text, source, sourcePort, destination, destinationPort]) => {
    const addresses = {
      family: 'ip',
      transport: 'stream',
      source: { address: source, port: sourcePort },
      destination: { address: destination, port: destinationPort },
    };
    const value = { version: 1, isLocal: false, addresses, tlvs: {} };

    expectAnswer(line(text), { kind: 'parsed', value, consumedBytes: text.length + 2 });
    expectNeedsAll(line(text));
  });

  test.for([
    'PROXY UNKNOWN',
    'PROXY UNKNOWN ',
    'PROXY UNKNOWN whatever comes',
    `PROXY UNKNOWN ${'f'.repeat(91)}`,
  ])('%s has no addresses', (text) => {
    const value = { version: 1, isLocal: false, addresses: undefined, tlvs: {} };

    expectAnswer(line(text), { kind: 'parsed', value, consumedBytes: text.length + 2 });
    expectNeedsAll(line(text));
  });

  test.for([
    ['a protocol other than TCP4, TCP6 and UNKNOWN', 'PROXY '],
    ['a protocol other than TCP4, TCP6 and UNKNOWN', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 2'],
    ['a protocol other than TCP4, TCP6 and UNKNOWN', 'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2'],
    ['a protocol other than TCP4, TCP6 and UNKNOWN', 'PROXY UNKNOWNS'],
    ['a protocol other than TCP4, TCP6 and UNKNOWN', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2'],
    ['3 fields in place of four', 'PROXY TCP4 192.0.2.1 192.0.2.2 1'],
    ['5 fields in place of four', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3'],
    ['5 fields in place of four', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 '],
    ['5 fields in place of four', 'PROXY TCP4 192.0.2.1  192.0.2.2 1 2'],
    ['a source that is not TCP4', 'PROXY TCP4 2001:db8::1 192.0.2.2 1 2'],
    ['a source that is not TCP6', 'PROXY TCP6 192.0.2.1 ::1 1 2'],
    ['a source that is not TCP4', 'PROXY TCP4 192.0.2.256 192.0.2.2 1 2'],
    ['a source that is not TCP4', 'PROXY TCP4 192.0.2.01 192.0.2.2 1 2'],
    ['a source that is not TCP4', 'PROXY TCP4 a.test 192.0.2.2 1 2'],
    ['a source that is not TCP4', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2'],
    ['a source that is not TCP4', 'PROXY TCP4 192.0.2.1 192.0.2.2 01 2'],
    ['a source that is not TCP4', 'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2'],
    ['a source that is not TCP6', 'PROXY TCP6 fe80::1%eth0 ::1 1 2'],
    ['a destination that is no address and port', 'PROXY TCP4 192.0.2.1 192.0.2.2. 1 2'],
    ['a destination that is no address and port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2x'],
    ['a destination that is no address and port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 99999'],
    ['a line that does not end with CRLF', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX'],
    ['no end of line in the first 107 bytes', `PROXY UNKNOWN ${'f'.repeat(92)}`],
  ] as const)('is refused for %s: %j', ([reason, text]) => {
    expectAnswer(line(text), { kind: 'malformed', reason });
  });

  test('is refused with a bare LF', () => {
    const reason = 'a line that does not end with CRLF';

    expectAnswer(Buffer.from('PROXY UNKNOWN\n'), { kind: 'malformed', reason });
  });
});

const signature = '0d0a0d0a 000d0a51 5549540a';

function hex(...parts: readonly string[]): Uint8Array {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
}

const source = { address: '192.0.2.1', port: 56_324 };
const destination = { address: '198.51.100.2', port: 443 };
const ipv4 = { family: 'ip', transport: 'stream', source, destination };
const ipv4Hex = 'c0000201 c6336402 dc04 01bb';

/** TCP over IPv4 with these TLVs behind the addresses. */
function withTlvs(tlvs: string): Uint8Array {
  const bytes = hex(tlvs);
  const length = (12 + bytes.length).toString(16).padStart(4, '0');
  return Buffer.concat([hex(signature, '21 11', length, ipv4Hex), bytes]);
}

describe('a header of version 2', () => {
  test.for([
    ['TCP over IPv4', hex(signature, '21 11 000c', ipv4Hex), ipv4],
    ['UDP over IPv4', hex(signature, '21 12 000c', ipv4Hex), { ...ipv4, transport: 'datagram' }],
    [
      'TCP over IPv6',
      hex(signature, '21 21 0024', '20010db8', '00'.repeat(11), '01', '00'.repeat(15), '02', '0001 ffff'),
      {
        ...ipv4,
        source: { address: '2001:db8::1', port: 1 },
        destination: { address: '::2', port: 65_535 },
      },
    ],
    [
      'TCP over IPv6 with mapped addresses',
      hex(
        signature,
        '21 21 0024',
        '00'.repeat(10),
        'ffff c0000201',
        '00'.repeat(10),
        'ffff c6336402',
        'dc04 01bb',
      ),
      ipv4,
    ],
    [
      'a unix socket',
      hex(
        signature,
        '21 31 00d8',
        Buffer.from('/run/a.sock').toString('hex').padEnd(216, '0'),
        '00'.repeat(108),
      ),
      { family: 'unix', transport: 'stream', sourcePath: '/run/a.sock', destinationPath: '' },
    ],
    [
      'an abstract unix datagram socket',
      hex(
        signature,
        '21 32 00d8',
        '00',
        Buffer.from('name').toString('hex').padEnd(214, '0'),
        '61'.repeat(108),
      ),
      { family: 'unix', transport: 'datagram', sourcePath: '@name', destinationPath: 'a'.repeat(108) },
    ],
  ] as const)('for %s is read', ([, bytes, addresses]) => {
    const value = { version: 2, isLocal: false, addresses, tlvs: {} };

    expectAnswer(bytes, { kind: 'parsed', value, consumedBytes: bytes.length });
    expectNeedsAll(bytes);
  });

  test.for([
    ['LOCAL', hex(signature, '20 00 0000'), true],
    ['LOCAL with addresses', hex(signature, '20 11 000c', ipv4Hex), true],
    ['LOCAL with a family that does not exist and bytes', hex(signature, '20 ff 0003 010203'), true],
    ['an unspecified family', hex(signature, '21 00 0003 010203'), false],
    ['an unspecified protocol', hex(signature, '21 10 000c', ipv4Hex), false],
  ] as const)('for %s has no addresses and skips what there is', ([, bytes, isLocal]) => {
    const value = { version: 2, isLocal, addresses: undefined, tlvs: {} };

    expectAnswer(bytes, { kind: 'parsed', value, consumedBytes: bytes.length });
    expectNeedsAll(bytes);
  });

  test('has its TLVs read, unknown ones kept, padding dropped', () => {
    const bytes = withTlvs(
      [
        '01 0002 6832',
        '02 0006 612e74657374',
        '05 0003 010203',
        '04 0002 0000',
        '30 0003 6e6574',
        'ea 0002 0102',
        '04 0000',
        'ea 0000',
      ].join(''),
    );
    const tlvs = {
      alpn: 'h2',
      authority: 'a.test',
      uniqueId: Uint8Array.of(1, 2, 3),
      netns: 'net',
      others: [
        { type: 0xea, value: Uint8Array.of(1, 2) },
        { type: 0xea, value: new Uint8Array() },
      ],
    };

    expectAnswer(bytes, {
      kind: 'parsed',
      value: { version: 2, isLocal: false, addresses: ipv4, tlvs },
      consumedBytes: bytes.length,
    });
  });

  test('tells a client without a certificate from one whose certificate was not verified', () => {
    const sslOf = (value: string): unknown => {
      const answer = feed([withTlvs(`20 0005 ${value}`)]);
      return answer.kind === 'parsed' ? answer.value.tlvs.ssl : answer;
    };
    const none = { isTls: true, hasCertificate: false, hasSessionCertificate: false, isVerified: false };

    expect(sslOf('01 00000000')).toEqual(none);
    expect(sslOf('03 00000001')).toEqual({ ...none, hasCertificate: true });
    expect(sslOf('07 00000000')).toEqual({
      isTls: true,
      hasCertificate: true,
      hasSessionCertificate: true,
      isVerified: true,
    });
  });

  // A TLS connection with a client certificate, as HAProxy 2.6 announced it; `hi` is payload.
  const fromHaproxy = hex(
    '0d0a0d0a000d0a515549540a211100857f0000017f000001d436480b030004bb6a84640100056d7973716c02000e64622e65',
    '78616d706c652e636f6d050006353032332d3020004d0700000000210007544c5376312e3322000b636c69656e742e746573',
    '742500075253413230343824000a5253412d534841323536230016544c535f4145535f3235365f47434d5f5348413338346869',
  );
  const haproxyTlvs = {
    alpn: 'mysql',
    authority: 'db.example.com',
    uniqueId: Uint8Array.from(Buffer.from('5023-0')),
    ssl: {
      isTls: true,
      hasCertificate: true,
      hasSessionCertificate: true,
      isVerified: true,
      version: 'TLSv1.3',
      commonName: 'client.test',
      cipher: 'TLS_AES_256_GCM_SHA384',
      signatureAlgorithm: 'RSA-SHA256',
      keyAlgorithm: 'RSA2048',
    },
  };

  test('with TLS facts and a checksum, sent by HAProxy, is read', () => {
    const addresses = {
      ...ipv4,
      source: { address: '127.0.0.1', port: 54_326 },
      destination: { address: '127.0.0.1', port: 18_443 },
    };

    expectAnswer(fromHaproxy, {
      kind: 'parsed',
      value: { version: 2, isLocal: false, addresses, tlvs: haproxyTlvs },
      consumedBytes: fromHaproxy.length - 2,
    });
  });

  test('with a checksum is refused when any bit of it is another one', () => {
    for (let bit = 16 * 8; bit < (fromHaproxy.length - 2) * 8; bit += 1) {
      const bytes = Buffer.from(fromHaproxy);
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      // A flipped type or length of the checksum itself makes it another TLV, or ends the list elsewhere.
      if (bit >>> 3 >= 28 && bit >>> 3 <= 30) continue;

      expect(feed([bytes]), `bit ${bit}`).toMatchObject({ kind: 'malformed' });
    }
  });

  test.for([
    ['version 1', hex(signature, '11')],
    ['version 3', hex(signature, '31 11 000c', ipv4Hex)],
    ['command 2', hex(signature, '22')],
    ['family and protocol 0x41', hex(signature, '21 41 0000')],
    ['family and protocol 0x13', hex(signature, '21 13 0000')],
    ['11 bytes for the addresses of ipv4', hex(signature, '21 11 000b', '00'.repeat(11))],
    ['12 bytes for the addresses of ipv6', hex(signature, '21 21 000c', ipv4Hex)],
    ['215 bytes for the addresses of unix', hex(signature, '21 31 00d7', '00'.repeat(215))],
    ['a header of 4097 bytes', hex(signature, '21 11 0ff1')],
    ['a header of 4097 bytes', hex(signature, '20 00 0ff1')],
    ['a TLV longer than the header', withTlvs('ea')],
    ['a TLV longer than the header', withTlvs('ea 0001')],
    ['a TLV longer than the header', withTlvs('ea 0000 ea 00')],
    ['a second TLV of type 0x2', withTlvs('02 0001 61 02 0001 62')],
    ['a unique id of 129 bytes', withTlvs(`05 0081 ${'00'.repeat(129)}`)],
    ['an ALPN of 256 bytes', withTlvs(`01 0100 ${'61'.repeat(256)}`)],
    ['an SSL TLV that ends early', withTlvs('20 0004 01000000')],
    ['a TLV longer than the SSL TLV', withTlvs('20 0008 0100000000 210001')],
    ['a CRC32c of 3 bytes', withTlvs('03 0003 000000')],
    ['a CRC32c that does not match', withTlvs('03 0004 00000000')],
  ] as const)('is refused for %s', ([reason, bytes]) => {
    expectAnswer(bytes, { kind: 'malformed', reason });
  });

  test('has its checksum taken over all of it, wherever that stands', () => {
    const bytes = withTlvs('03 0004 00000000 02 0001 61');
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(31, crc32c(bytes));

    expect(feed([bytes])).toMatchObject({ kind: 'parsed', value: { tlvs: { authority: 'a' } } });
  });

  test('may be as long as the limit', () => {
    const bytes = withTlvs(`ea 03e9 ${'00'.repeat(1001)}`);
    const parserFor = (limitBytes: number): ProxyHeaderParser => new ProxyHeaderParser({ limitBytes });

    expect(feed(splitBytes(bytes, 100), parserFor(bytes.length))).toMatchObject({ kind: 'parsed' });
    expect(feed([bytes.subarray(0, 16)], parserFor(bytes.length - 1))).toMatchObject({ kind: 'malformed' });
  });
});

test.for([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['PROPFIND', Buffer.from('PROPFIND / HTTP/1.1\r\n')],
  ['lower case', Buffer.from('proxy TCP4 ')],
  ['TLS', Uint8Array.of(22, 3, 1)],
  ['empty lines', Buffer.from('\r\n\r\n\r\n')],
  ['a signature that breaks off', hex('0d0a0d0a 000d0a51 5549540d')],
] as const)('%s is no PROXY header, which the earliest byte that tells decides', ([, bytes]) => {
  expect(feed([bytes])).toEqual({ kind: 'absent' });
  expect(feed(splitBytes(bytes, 1))).toEqual({ kind: 'absent' });
});

test('junk gives one answer, however it is cut, and never throws', () => {
  const start = fc.constantFrom(
    Uint8Array.from(Buffer.from('PROXY TCP4 ')),
    Uint8Array.from(hex(signature, '21 11 0020')),
    Uint8Array.from(hex(signature, '21 21 0030')),
    new Uint8Array(),
  );
  fc.assert(
    fc.property(
      start,
      fc.uint8Array({ maxLength: 120 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (head, junk, sizes) => {
        const bytes = Buffer.concat([head, junk]);

        expect(feed(splitBytes(bytes, ...sizes))).toEqual(feed([bytes]));
      },
    ),
    { numRuns: 2000 },
  );
});
