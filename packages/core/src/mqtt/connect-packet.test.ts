import { someBytes, splitAtEach, splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { feedParser } from '../testing/feed-parser.ts';
import { ConnectPacketParser } from './connect-packet.ts';
import type { ConnectPacketOptions, MqttConnect } from './connect-packet.ts';

type Expectation = Partial<ConnectPacketOptions>;

function parserOf(expectation: Expectation = {}): ConnectPacketParser {
  return new ConnectPacketParser({ protocolName: 'MQTT', protocolLevel: 4, ...expectation });
}

function feed(pieces: Iterable<Uint8Array>, expectation?: Expectation): HeadAnswer<MqttConnect> {
  return feedParser(pieces, parserOf(expectation));
}

/** Expects one answer to these bytes, with others behind them or not, however they are cut. */
function expectAnswer(bytes: Uint8Array, expected: unknown, expectation?: Expectation): void {
  const followed = Buffer.concat([bytes, someBytes(20)]);
  expect(feed([bytes], expectation)).toEqual(expected);
  expect(feed(splitBytes(followed, 1), expectation)).toEqual(expected);
  for (const pieces of splitAtEach(followed)) expect(feed(pieces, expectation)).toEqual(expected);
}

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function parsed(clientId: string): HeadAnswer<MqttConnect> {
  return { kind: 'parsed', value: { clientId }, consumedBytes: 0 };
}

function refused(reason: string): HeadAnswer<MqttConnect> {
  return { kind: 'malformed', reason };
}

const foo = '10 0f 0004 4d515454 04 02 003c 0003 666f6f';
const level3 = { protocolName: 'MQIsdp', protocolLevel: 3 };
const level5 = { protocolLevel: 5 };

describe('a CONNECT', () => {
  test.for<readonly [what: string, bytes: string, clientId: string, expectation?: Expectation]>([
    ['3.1', '10 11 0006 4d5149736470 03 02 003c 0003 666f6f', 'foo', level3],
    ['3.1.1', foo, 'foo'],
    ['3.1.1 without an id', '10 0c 0004 4d515454 04 02 003c 0000', ''],
    ['3.1.1 and a longer form of its length', '10 8f8000 0004 4d515454 04 02 003c 0003 666f6f', 'foo'],
    ['5', '10 0e 0004 4d515454 05 02 003c 00 0001 66', 'f', level5],
    ['5 without an id', '10 0d 0004 4d515454 05 02 003c 00 0000', '', level5],
    [
      '5 and properties',
      '10 1b 0004 4d515454 05 02 003c 05 1100000e10 0009 636c696e742d313131',
      'clint-111',
      level5,
    ],
    ['an id with a byte order mark', '10 10 0004 4d515454 04 02 003c 0004 efbbbf61', '\ufeffa'],
    ['a bridge of Mosquitto', '10 0f 0004 4d515454 84 02 003c 0003 666f6f', 'foo', { protocolLevel: 132 }],
  ])('of MQTT %s is read, however it is cut', ([, bytes, clientId, expectation]) => {
    expectAnswer(hex(bytes), parsed(clientId), expectation);
  });

  test('is read up to the id: what follows in it is neither waited for nor judged', () => {
    const withUser = hex('10 ff7f 0004 4d515454 04 c2 003c 0003 666f6f');

    expectAnswer(withUser, parsed('foo'));
  });

  test('that is cut short needs more, and it is known how much there has to be at least', () => {
    const shortages = [...splitAtEach(hex(foo))].map(([head]) => {
      const parser = parserOf();
      return feedParser([head], parser).kind === 'need-more'
        ? parser.shortage.replace('failed to parse mqtt request, expect len: ', '')
        : 'enough';
    });

    expect(shortages).toEqual([
      '1 but got 0',
      '2 but got 1',
      '4 but got 2',
      '4 but got 3',
      '8 but got 4',
      '8 but got 5',
      '8 but got 6',
      '8 but got 7',
      '9 but got 8',
      '12 but got 9',
      '12 but got 10',
      '12 but got 11',
      '14 but got 12',
      '14 but got 13',
      '17 but got 14',
      '17 but got 15',
      '17 but got 16',
      'enough',
    ]);
  });

  const tooShort = 'failed to parse mqtt request, expect len: ';
  const notUtf8 = 'failed to parse mqtt request, expect client id: UTF-8 without U+0000';
  test.for<readonly [bytes: string, reason: string, expectation?: Expectation]>([
    ['6d', 'Received unexpected MQTT packet type+flags: 109'],
    ['00', 'Received unexpected MQTT packet type+flags: 0'],
    ['11', 'Received unexpected MQTT packet type+flags: 17'],
    ['20', 'Received unexpected MQTT packet type+flags: 32'],
    ['10 80808080', 'failed to parse mqtt request, expect remaining length: at most 4 bytes but got more'],
    ['10 00', `${tooShort}4 but got 2`],
    ['10 06 0004 4d515454', `${tooShort}9 but got 8`],
    ['10 0e 0004 4d515454 04 02 003c 0003', `${tooShort}17 but got 16`],
    ['10 13 0006 4d5149736470', 'expect protocol name: MQTT, but got MQIsdp'],
    ['10 13 0004 6d717474', 'expect protocol name: MQTT, but got mqtt'],
    ['10 13 0004 4d5154ff', 'expect protocol name: MQTT, but got MQT\ufffd'],
    ['10 13 0000', 'expect protocol name: MQTT, but got '],
    ['10 ff7f 0041', 'expect protocol name: MQTT, but got one of 65 bytes'],
    ['10 0f 0004 4d515454 05', 'expect protocol level: 4, but got 5'],
    ['10 0f 0004 4d515454 84', 'expect protocol level: 4, but got 132'],
    ['10 11 0006 4d5149736470 04', 'expect protocol level: 3, but got 4', level3],
    [
      '10 ff01 0004 4d515454 05 02 003c ffffffff',
      'failed to parse mqtt request, expect property length: at most 4 bytes but got more',
      level5,
    ],
    ['10 0e 0004 4d515454 05 02 003c 7f', `${tooShort}140 but got 16`, level5],
    ['10 ffffff01 0004 4d515454 05 02 003c ffff7f', `${tooShort}at most 16384 but got 2097169`, level5],
    ['10 ffff7f 0004 4d515454 04 02 003c ffff', `${tooShort}at most 16384 but got 65551`],
    ['10 0e 0004 4d515454 04 02 003c 0002 61ff', notUtf8],
    ['10 0e 0004 4d515454 04 02 003c 0002 c080', notUtf8],
    ['10 0f 0004 4d515454 04 02 003c 0003 eda080', notUtf8],
    ['10 0f 0004 4d515454 04 02 003c 0003 610061', notUtf8],
  ])('is refused by the first byte that tells it: %s', ([bytes, reason, expectation]) => {
    const all = hex(bytes);

    expectAnswer(all, refused(reason), expectation);
    expect(feed([all.subarray(0, -1)], expectation)).toEqual({ kind: 'need-more' });
  });

  test.for([
    [16_369, 'parsed'],
    [16_370, 'malformed'],
  ] as const)('with an id of %i bytes, of 16 384 up to its end that are read, is %s', ([length, kind]) => {
    const bytes = Buffer.concat([
      hex('10 ff7f 0004 4d515454 04 02 003c'),
      Uint8Array.of(length >>> 8, length),
      Buffer.alloc(length, 'x'),
    ]);

    expect(feed([bytes])).toMatchObject({ kind });
    expect(feed(splitBytes(bytes, 1000))).toMatchObject({ kind });
  });
});

describe('any bytes', () => {
  // Most of them begin like a CONNECT, so that they get past the first field.
  const bytes = fc
    .tuple(fc.constantFrom('', '10', '10 ff7f', foo.slice(0, 20), foo), fc.uint8Array({ maxLength: 60 }))
    .map(([start, rest]) => Buffer.concat([hex(start), rest]));
  const expectations = fc.constantFrom<Expectation>({}, level3, level5, { limitBytes: 20 });

  test('are answered in the same way however they are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
    fc.assert(
      fc.property(bytes, expectations, sizes, (some, expectation, cuts) => {
        const [whole, cut] = [parserOf(expectation), parserOf(expectation)];

        const answer = feedParser([some], whole);
        expect(feedParser(splitBytes(some, ...cuts), cut)).toEqual(answer);
        if (answer.kind === 'need-more') expect(cut.shortage).toBe(whole.shortage);
      }),
      { numRuns: 1000 },
    );
  });

  test('never make the parser ask for more than its limit', () => {
    fc.assert(
      fc.property(bytes, expectations, (some, expectation) => {
        const parser = parserOf({ ...expectation, limitBytes: 20 });
        if (feedParser([some], parser).kind !== 'need-more') return;

        const [, expected, found] = parser.shortage.match(/len: (\d+) but got (\d+)$/) ?? [];
        expect(Number(found)).toBe(some.length);
        expect(Number(expected)).toBeGreaterThan(some.length);
        expect(Number(expected)).toBeLessThanOrEqual(20);
      }),
      { numRuns: 1000 },
    );
  });
});
