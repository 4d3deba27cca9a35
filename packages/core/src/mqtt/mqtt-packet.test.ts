import { splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { generate, parser as createOracle } from 'mqtt-packet';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { feedParser } from '../testing/feed-parser.ts';
import { ConnectPacketParser } from './connect-packet.ts';
import type { MqttConnect } from './connect-packet.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => !each.includes('\0'));
const name = text.filter((each) => each !== '');

const connects: fc.Arbitrary<IConnectPacket> = fc
  .record(
    {
      cmd: fc.constant('connect' as const),
      clientId: text,
      protocolVersion: fc.constantFrom(3 as const, 4 as const, 5 as const),
      keepalive: fc.nat(0xffff),
      username: name,
      will: fc.record({ topic: name, payload: text.map((each) => Buffer.from(each)) }),
      properties: fc.record(
        {
          sessionExpiryInterval: fc.nat(),
          receiveMaximum: fc.integer({ min: 1, max: 0xffff }),
          userProperties: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), text, { minKeys: 1, maxKeys: 20 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['cmd', 'clientId', 'protocolVersion'] },
  )
  // MQTT 3.1 has no empty id.
  .filter(({ clientId, protocolVersion }) => clientId !== '' || protocolVersion !== 3);

function write(connect: IConnectPacket): Uint8Array {
  return generate({ ...connect, protocolId: nameOf(connect), clean: true });
}

function nameOf({ protocolVersion }: IConnectPacket): 'MQTT' | 'MQIsdp' {
  return protocolVersion === 3 ? 'MQIsdp' : 'MQTT';
}

function read(connect: IConnectPacket, pieces: Iterable<Uint8Array>): HeadAnswer<MqttConnect> {
  const { protocolVersion = 4 } = connect;
  return feedParser(
    pieces,
    new ConnectPacketParser({ protocolName: nameOf(connect), protocolLevel: protocolVersion }),
  );
}

/** Undefined: it wants more, or refuses what stands behind the id. */
function readByOracle(bytes: Uint8Array): IConnectPacket | undefined {
  const packets: Packet[] = [];
  const oracle = createOracle();
  oracle.on('packet', (packet) => packets.push(packet));
  oracle.on('error', () => {});
  oracle.parse(Buffer.from(bytes));
  const [first] = packets;
  return first?.cmd === 'connect' ? first : undefined;
}

test('what another implementation writes is read, however it is cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(connects, sizes, (connect, cuts) => {
      const bytes = write(connect);
      const expected = { kind: 'parsed', value: { clientId: connect.clientId }, consumedBytes: 0 };

      expect(read(connect, [bytes])).toEqual(expected);
      expect(read(connect, splitBytes(bytes, ...cuts))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('what was then damaged is refused, or read as the other implementation reads it', () => {
  const mutation = fc.record({ at: fc.nat(40), value: fc.nat(255) });

  let compared = 0;
  fc.assert(
    fc.property(connects, fc.array(mutation, { minLength: 1, maxLength: 3 }), (connect, mutations) => {
      const bytes = write(connect);
      for (const { at, value } of mutations) if (at < bytes.length) bytes[at] = value;
      const answer = read(connect, [bytes]);
      const oracle = readByOracle(bytes);
      if (answer.kind !== 'parsed' || oracle === undefined) return;

      compared += 1;
      expect(answer.value.clientId).toBe(oracle.clientId);
    }),
    { numRuns: 1000 },
  );
  expect(compared).toBeGreaterThan(100);
});
