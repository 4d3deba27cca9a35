import { someBytes, splitAtEach, splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { ClientHelloParser } from './client-hello.ts';
import type { ClientHello } from './hello-message.ts';

function feed(pieces: Iterable<Uint8Array>, parser = new ClientHelloParser()): HeadAnswer<ClientHello> {
  for (const piece of pieces) {
    // A view is valid during the call only.
    const view = Uint8Array.from(piece);
    const answer = parser.push(view);
    view.fill(0xee);
    if (answer.kind !== 'need-more') return answer;
  }
  return { kind: 'need-more' };
}

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function ascii(text: string): number[] {
  return [...Buffer.from(text, 'latin1')];
}

function extension(type: number, body: readonly number[]): number[] {
  return [...u16(type), ...u16(body.length), ...body];
}

function serverName(name: string): number[] {
  return extension(0, [...u16(name.length + 3), 0, ...u16(name.length), ...ascii(name)]);
}

function alpn(...names: readonly string[]): number[] {
  const list = names.flatMap((name) => [name.length, ...ascii(name)]);
  return extension(16, [...u16(list.length), ...list]);
}

function versions(...list: readonly number[]): number[] {
  return extension(43, [list.length * 2, ...list.flatMap(u16)]);
}

interface HelloParts {
  readonly extensions?: readonly number[];
  /** Everything after the compression methods, where it is not a list of extensions. */
  readonly tail?: readonly number[];
  readonly sessionId?: readonly number[];
  readonly ciphers?: readonly number[];
  readonly compression?: readonly number[];
}

/** The handshake message. */
function message(parts: HelloParts = {}): Uint8Array {
  const { extensions = [], sessionId = [], ciphers = [0x13, 0x01], compression = [0] } = parts;
  const body = [
    3,
    3,
    ...someBytes(32),
    sessionId.length,
    ...sessionId,
    ...u16(ciphers.length),
    ...ciphers,
    compression.length,
    ...compression,
    ...(parts.tail ?? [...u16(extensions.length), ...extensions]),
  ];
  return Uint8Array.of(1, body.length >>> 16, ...u16(body.length & 0xffff), ...body);
}

function records(handshake: Uint8Array, ...sizes: readonly number[]): Uint8Array {
  const pieces = [...splitBytes(handshake, ...sizes)];
  return Uint8Array.from(pieces.flatMap((piece) => [22, 3, 1, ...u16(piece.length), ...piece]));
}

function hello(parts?: HelloParts): Uint8Array {
  return records(message(parts), 16_384);
}

const full = hello({
  extensions: [...serverName('db.example.com'), ...alpn('h2', 'http/1.1'), ...versions(0x0304, 0x0303)],
  sessionId: [...someBytes(32, 2)],
});
const fullAnswer = {
  kind: 'parsed',
  value: {
    serverName: 'db.example.com',
    alpn: ['h2', 'http/1.1'],
    versions: [0x0304, 0x0303],
    ticketNames: [],
  },
  consumedBytes: 0,
};

describe('a ClientHello', () => {
  test('is read whole, also with bytes behind it', () => {
    expect(feed([full])).toEqual(fullAnswer);
    expect(feed([Buffer.concat([full, someBytes(100)])])).toEqual(fullAnswer);
  });

  test('is read however its bytes are cut in two, or one by one', () => {
    for (const pieces of splitAtEach(full)) expect(feed(pieces)).toEqual(fullAnswer);
    expect(feed(splitBytes(full, 1))).toEqual(fullAnswer);
  });

  test('is read over records of any size, and these cut anywhere', () => {
    const handshake = message({ extensions: serverName('db.example.com') });
    for (const size of [1, 2, 3, 4, 5, 50, handshake.length - 1]) {
      const cut = records(handshake, size);
      expect(feed([cut])).toMatchObject({ kind: 'parsed', value: { serverName: 'db.example.com' } });
      expect(feed(splitBytes(cut, 1, 7, 3))).toMatchObject({ kind: 'parsed' });
    }
  });

  test('that is cut short needs more, whatever its length', () => {
    for (const [head] of splitAtEach(full)) {
      if (head.length < full.length) expect(feed([head])).toEqual({ kind: 'need-more' });
    }
  });

  test('without extensions has no name, no protocols, and the version of its own field', () => {
    const value = { serverName: undefined, alpn: [], versions: [0x0303], ticketNames: [] };

    expect(feed([hello({ tail: [] })])).toEqual({ kind: 'parsed', value, consumedBytes: 0 });
    expect(feed([hello()])).toEqual({ kind: 'parsed', value, consumedBytes: 0 });
  });

  test('has its name in lower case and without one trailing dot', () => {
    expect(feed([hello({ extensions: serverName('DB.Example.COM.') })])).toMatchObject({
      value: { serverName: 'db.example.com' },
    });
  });

  test('has the names of its tickets, be they of TLS 1.2 or 1.3', () => {
    const name = 'sixteen of a key';
    const identity = [...u16(20), ...ascii(`${name}rest`), 0, 0, 0, 0];
    const short = [...u16(3), ...ascii('psk'), 0, 0, 0, 0];
    const identities = [...identity, ...short];
    const binders = [...u16(33), 32, ...someBytes(32)];

    expect(feed([hello({ extensions: extension(35, ascii(`${name} and more`)) })])).toMatchObject({
      value: { ticketNames: [name] },
    });
    expect(feed([hello({ extensions: extension(35, []) })])).toMatchObject({ value: { ticketNames: [] } });
    const preShared = extension(41, [...u16(identities.length), ...identities, ...binders]);
    expect(feed([hello({ extensions: preShared })])).toMatchObject({ value: { ticketNames: [name] } });
  });

  test('may hold reserved values (GREASE) and unknown extensions, which are passed over', () => {
    const extensions = [
      ...extension(0x3a3a, [0]),
      ...extension(0xff01, [0]),
      ...versions(0x7a7a, 0x0304),
      ...alpn('\x0a\x0a', '\xfa\xfa', 'h2'),
      ...extension(0xfe0d, [...someBytes(200)]),
    ];

    expect(feed([hello({ extensions })])).toMatchObject({ value: { versions: [0x0304], alpn: ['h2'] } });
  });

  test('may hold a name of another type beside the host name', () => {
    const list = [7, ...u16(2), 1, 2, 0, ...u16(1), ...ascii('a')];
    const extensions = extension(0, [...u16(list.length), ...list]);

    expect(feed([hello({ extensions })])).toMatchObject({ value: { serverName: 'a' } });
  });

  test('may be as long as the limit, and no longer', () => {
    const handshake = message({ extensions: extension(21, [...new Uint8Array(1000)]) });
    const parserFor = (limitBytes: number): ClientHelloParser => new ClientHelloParser({ limitBytes });
    const cut = records(handshake, 100);

    expect(feed([cut], parserFor(handshake.length))).toMatchObject({ kind: 'parsed' });
    expect(feed([cut.subarray(0, 9)], parserFor(handshake.length - 1))).toEqual({
      kind: 'malformed',
      reason: `a ClientHello of ${handshake.length} bytes`,
    });
  });
});

test.for([
  ['SSL 2.0', Uint8Array.of(0x80, 0x2e, 1, 3, 1)],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['SSH', Buffer.from('SSH-2.0-x\r\n')],
  ['a TLS alert', Uint8Array.of(21, 3, 1, 0, 2)],
  ['a zero', Uint8Array.of(0)],
  ['a record of major version 4', Uint8Array.of(22, 4)],
] as const)('%s is not TLS, which the earliest byte that tells decides', ([, bytes]) => {
  expect(feed(splitBytes(bytes, 1))).toEqual({ kind: 'absent' });
});

const twoNames = [0, ...u16(1), ...ascii('a'), 0, ...u16(1), ...ascii('b')];

test.for<readonly [reason: string, bytes: Uint8Array]>([
  ['an empty handshake record', Uint8Array.of(22, 3, 1, 0, 0)],
  ['a record of 16385 bytes', Uint8Array.of(22, 3, 1, 0x40, 1)],
  ['a handshake message of type 2', Uint8Array.of(22, 3, 1, 0, 4, 2)],
  ['a ClientHello of 65537 bytes', Uint8Array.of(22, 3, 1, 0, 4, 1, 0, 0xff, 0xfd)],
  ['a record of type 23 inside the ClientHello', Uint8Array.of(22, 3, 1, 0, 1, 1, 23)],
  ['a record of version 2 inside the ClientHello', Uint8Array.of(22, 3, 1, 0, 1, 1, 22, 2)],
  ['the ClientHello ends inside a field', records(Uint8Array.of(1, 0, 0, 2, 3, 3), 9)],
  ['a session id of 33 bytes', hello({ sessionId: [...new Uint8Array(33)] })],
  ['cipher suites of 0 bytes', hello({ ciphers: [] })],
  ['cipher suites of 3 bytes', hello({ ciphers: [1, 2, 3] })],
  ['no compression method', hello({ compression: [] })],
  ['extensions that do not end where the ClientHello does', hello({ tail: [0, 1] })],
  ['extensions that do not end where the ClientHello does', hello({ tail: [0, 0, 0] })],
  ['an extension longer than the ClientHello', hello({ extensions: [0, 0, 0, 9, 0] })],
  ['an extension longer than the ClientHello', hello({ extensions: [0, 99, 0] })],
  ['a second server_name', hello({ extensions: [...serverName('a'), ...serverName('a')] })],
  ['two host names in server_name', hello({ extensions: extension(0, [...u16(8), ...twoNames]) })],
  ['a server_name list of a wrong length', hello({ extensions: extension(0, []) })],
  ['a server_name list of a wrong length', hello({ extensions: extension(0, [0, 0]) })],
  ['a server_name longer than its list', hello({ extensions: extension(0, [0, 3, 0, 0, 9]) })],
  ['a server_name of 255 bytes', hello({ extensions: serverName('a'.repeat(255)) })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('.') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('a..b') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('a\0.example.com') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('*.example.com') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName('2001:db8::1') })],
  ['a server_name that is no DNS name', hello({ extensions: serverName(`${'a'.repeat(64)}.com`) })],
  ['a second ALPN extension', hello({ extensions: [...alpn('h2'), ...alpn('h2')] })],
  ['an ALPN list of a wrong length', hello({ extensions: alpn() })],
  ['an ALPN name longer than its list', hello({ extensions: extension(16, [0, 2, 5, 0]) })],
  ['an empty ALPN name', hello({ extensions: alpn('') })],
  ['a second supported_versions', hello({ extensions: [...versions(0x0304), ...versions(0x0304)] })],
  ['a supported_versions list of a wrong length', hello({ extensions: versions() })],
  ['a supported_versions list of a wrong length', hello({ extensions: extension(43, [3, 3, 4, 3]) })],
])('%s is refused, however the bytes are cut', ([reason, bytes]) => {
  expect(feed([bytes])).toEqual({ kind: 'malformed', reason });
  expect(feed(splitBytes(bytes, 1))).toEqual({ kind: 'malformed', reason });
});

describe('bytes that went wrong', () => {
  const mutation = fc.record({ at: fc.nat(full.length - 1), value: fc.nat(255) });

  test('in some places give one answer, however they are cut, and never throw', () => {
    fc.assert(
      fc.property(
        fc.array(mutation, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (mutations, sizes) => {
          const bytes = full.slice();
          for (const { at, value } of mutations) bytes[at] = value;

          expect(feed(splitBytes(bytes, ...sizes))).toEqual(feed([bytes]));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('altogether are never a ClientHello by chance, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        const bytes = Uint8Array.of(22, 3, 1, ...u16(junk.length + 1), 1, ...junk);

        expect(['need-more', 'malformed']).toContain(feed([bytes]).kind);
        expect(feed(splitBytes(bytes, 1))).toEqual(feed([bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});

test('a long ClientHello, a byte a record and a byte a range, is work in proportion to its length', () => {
  const timeOf = (paddingBytes: number): number => {
    const cut = records(message({ extensions: extension(21, [...new Uint8Array(paddingBytes)]) }), 1);
    const times = Array.from({ length: 4 }, () => {
      const started = performance.now();
      expect(feed(splitBytes(cut, 1))).toMatchObject({ kind: 'parsed' });
      return performance.now() - started;
    });
    return Math.min(...times);
  };
  const short = timeOf(2000);

  // Sixteen times the bytes: quadratic work would take 256 times as long.
  expect(timeOf(32_000) / short).toBeLessThan(100);
});
