import type { PluginSession, PluginStep } from '@apisix-ts/core';
import { describe, expect, test } from 'vitest';
import { mqttProxy } from './mqtt-proxy.ts';
import { compilePlugin, faultOf, hear, preread } from './testing/plugin-scene.ts';

test.each([
  [{}, 'property "protocol_level" is required'],
  [{ protocol_name: 'MQTT' }, 'property "protocol_level" is required'],
  [
    { protocol_level: '4' },
    'property "protocol_level" validation failed: wrong type: expected integer, got string',
  ],
  [
    { protocol_level: 4.5 },
    'property "protocol_level" validation failed: wrong type: expected integer, got number',
  ],
  [
    { protocol_level: 4, protocol_name: 5 },
    'property "protocol_name" validation failed: wrong type: expected string, got number',
  ],
])('%j is refused', (configuration, message) => {
  expect(faultOf(mqttProxy, configuration)).toBe(message);
});

function bytes(hex: string): Uint8Array[] {
  return hex === '' ? [] : [Buffer.from(hex.replaceAll(' ', ''), 'hex')];
}

/** What comes next, and the variables that were set. */
function connect(
  configuration: object,
  hex: string,
  silence?: 'ended' | 'timeout' | 'limit',
): readonly [PluginStep, Readonly<Record<string, string>>] {
  const variables: Record<string, string> = {};
  const session: Partial<PluginSession> = {
    setVariable(name, value) {
      variables[name] = value;
    },
  };
  const step = preread(compilePlugin(mqttProxy, configuration), session);
  return [hear(step, bytes(hex), silence), variables];
}

describe('a client of MQTT', () => {
  test.each([
    ['3.1', { protocol_name: 'MQIsdp', protocol_level: 3 }, '10 11 0006 4d5149736470 03 02 003c 0003 666f6f'],
    ['3.1.1', { protocol_level: 4 }, '10 0f 0004 4d515454 04 02 003c 0003 666f6f'],
    ['5', { protocol_level: 5 }, '10 15 0004 4d515454 05 02 003c 05 1100000e10 0003 666f6f'],
  ])('%s goes on, and its id is known', (_, configuration, hex) => {
    expect(connect(configuration, hex)).toEqual([undefined, { mqtt_client_id: 'foo' }]);
  });

  test('without an id goes on, and none is set', () => {
    expect(connect({ protocol_level: 4 }, '10 0c 0004 4d515454 04 02 003c 0000')).toEqual([undefined, {}]);
  });
});

describe('refused is', () => {
  const tooShort = 'failed to parse mqtt request, expect len: 8 but got 6';
  test.each([
    ['another protocol', '6d6d6d6d6d', 'ended', 'Received unexpected MQTT packet type+flags: 109'],
    ['another name', '10 11 0006 4d5149736470 03', 'ended', 'expect protocol name: MQTT, but got MQIsdp'],
    ['another level', '10 0e 0004 4d515454 05', 'ended', 'expect protocol level: 4, but got 5'],
    ['a client that ends too early', '10 0f 0004 4d51', 'ended', tooShort],
    ['one that falls silent', '10 0f 0004 4d51', 'timeout', `${tooShort} in 30 s`],
    ['one that says nothing', '', 'timeout', 'failed to parse mqtt request, expect len: 1 but got 0 in 30 s'],
    ['what the reading is given up for', '10 0f 0004 4d51', 'limit', tooShort],
  ] as const)('%s', (_, hex, silence, reason) => {
    expect(connect({ protocol_level: 4 }, hex, silence)).toEqual([{ refuse: 400, reason }, {}]);
  });

  test('a session of datagrams', () => {
    const handlers = compilePlugin(mqttProxy, { protocol_level: 4 });

    expect(preread(handlers, { transport: 'udp' })).toEqual({
      refuse: 400,
      reason: 'expect MQTT over TCP, but got a datagram',
    });
  });
});

test('it reads 16 KiB at most, for half a minute', () => {
  expect(preread(compilePlugin(mqttProxy, { protocol_level: 4 }), {})).toMatchObject({
    peek: { limitBytes: 16_384, timeoutMs: 30_000 },
  });
});
