import type { PluginHandlers, PluginSession, PluginStep, SessionCounts } from '@apisix-ts/core';
import { describe, expect, test } from 'vitest';
import { limitConn } from './limit-conn.ts';
import { compilePlugin, countsOfOne, faultOf, preread } from './testing/plugin-scene.ts';

const twoAndThree = { conn: 2, burst: 3, default_conn_delay: 0.1, key: 'remote_addr' };

test.each([
  [{ burst: 0, default_conn_delay: 0.1, key: 'remote_addr' }, 'property "conn" is required'],
  [{ conn: 1, default_conn_delay: 0.1, key: 'remote_addr' }, 'property "burst" is required'],
  [{ conn: 1, burst: 0, key: 'remote_addr' }, 'property "default_conn_delay" is required'],
  [{ conn: 1, burst: 0, default_conn_delay: 0.1 }, 'property "key" is required'],
  [{ ...twoAndThree, conn: 0 }, 'property "conn" validation failed: expected 0 to be greater than 0'],
  [
    { ...twoAndThree, conn: 1.5 },
    'property "conn" validation failed: wrong type: expected integer, got number',
  ],
  [{ ...twoAndThree, burst: -1 }, 'property "burst" validation failed: expected -1 to be at least 0'],
  [
    { ...twoAndThree, default_conn_delay: 0 },
    'property "default_conn_delay" validation failed: expected 0 to be greater than 0',
  ],
  [
    { ...twoAndThree, key_type: 'header' },
    'property "key_type" validation failed: matches none of the enum values',
  ],
  [{ ...twoAndThree, allow_degradation: true }, undefined],
])('%j: %s', (configuration, message) => {
  expect(faultOf(limitConn, configuration)).toBe(message);
});

/** Sessions of one client that come one after the other, what is said to each, and how each ends. */
function sessions(): {
  come: (handlers: PluginHandlers, facts?: Partial<PluginSession>) => PluginStep;
  said: PluginStep[];
  end: (place: number) => void;
} {
  const [said, ends] = [new Array<PluginStep>(), new Array<(() => void) | undefined>()];
  return {
    said,
    come(handlers, facts = {}) {
      const place = said.length;
      const common = { variable: (name: string) => (name === 'remote_addr' ? '192.0.2.1' : undefined) };
      const step = preread(handlers, { ...common, onEnd: (left) => void (ends[place] = left), ...facts });
      said.push(step);
      return step;
    },
    end: (place) => ends[place]?.(),
  };
}

test('sessions go on, then wait, then are closed', () => {
  const handlers = compilePlugin(limitConn, twoAndThree);
  const { come, said } = sessions();

  for (let session = 0; session < 6; session++) come(handlers);

  expect(said).toEqual([
    undefined,
    undefined,
    { pauseMs: 100 },
    { pauseMs: 100 },
    { pauseMs: 200 },
    {
      refuse: 503,
      reason: 'expected at most 5 sessions at a time with the key "192.0.2.1", found as many',
    },
  ]);
});

test('one that ends makes room, one that was closed does not', () => {
  const handlers = compilePlugin(limitConn, { ...twoAndThree, conn: 1, burst: 0 });
  const { come, end } = sessions();
  come(handlers);
  expect(come(handlers)).toMatchObject({ refuse: 503 });

  end(1);
  expect(come(handlers)).toMatchObject({ refuse: 503 });

  end(0);
  expect(come(handlers)).toBeUndefined();
});

test('one for whose key there is no room is closed', () => {
  const counts: SessionCounts = { enter: () => undefined, leave() {} };
  const { come } = sessions();

  expect(come(compilePlugin(limitConn, twoAndThree, { counts }))).toEqual({
    refuse: 500,
    reason: 'expected room to count sessions with the key "192.0.2.1", found none',
  });
});

describe('the key', () => {
  /** What sessions of 192.0.2.1 with these variables are counted by, and what was logged. */
  function keyOf(
    configuration: object,
    variables: Readonly<Record<string, string | number>>,
  ): readonly [string[], unknown[]] {
    const [keys, logged] = [new Array<string>(), new Array<unknown>()];
    const counts: SessionCounts = { ...countsOfOne(), enter: (key) => keys.push(key.replace(/:\d+:/, ' ')) };
    const handlers = compilePlugin(
      limitConn,
      { ...twoAndThree, conn: 9, ...configuration },
      { counts, log: (level, message, fields) => void logged.push([level, message, fields]) },
    );
    preread(handlers, { variable: (name) => variables[name] });
    preread(handlers, { variable: (name) => variables[name] });
    return [keys.filter((key, place) => place === 0 || key !== keys[0]), logged];
  }

  const combination = { key: '$ssl_preread_server_name:${remote_port}', key_type: 'var_combination' };

  test.each([
    [{ key: 'server_addr' }, { server_addr: '192.0.2.9' }, 'stream_routes/1 192.0.2.9'],
    [{ key: 'remote_port' }, { remote_port: 7 }, 'stream_routes/1 7'],
    [combination, { ssl_preread_server_name: 'a.test', remote_port: 7 }, 'stream_routes/1 a.test:7'],
    [combination, { remote_port: 7 }, 'stream_routes/1 :7'],
    [{ ...combination, key: '$a text' }, { a: 1 }, 'stream_routes/1 1 text'],
  ])('%j of a session with %j is %s', (configuration, variables, key) => {
    expect(keyOf(configuration, variables)).toEqual([[key], []]);
  });

  test.each([
    [{ key: 'mqtt_client_id' }, {}],
    [{ key: 'mqtt_client_id' }, { mqtt_client_id: '' }],
    [{ key: '$a:$b', key_type: 'var_combination' }, { a: '' }],
    [{ key: 'no variable', key_type: 'var_combination' }, {}],
    [{ key: '', key_type: 'var_combination' }, {}],
  ])('%j of a session with %j is the client, and that is logged once', (configuration, variables) => {
    expect(keyOf(configuration, variables)).toEqual([
      ['stream_routes/1 192.0.2.1'],
      [
        [
          'info',
          'The value of the configured key is empty, use client IP instead',
          { key: configuration.key },
        ],
      ],
    ]);
  });

  test('is counted on by the same configuration, and anew by another one or that of another resource', () => {
    const counts = countsOfOne();
    const one = { ...twoAndThree, conn: 1, burst: 0 };
    const { come } = sessions();
    const comesTo = (configuration: object, owner = 'services/1'): PluginStep =>
      come(compilePlugin(limitConn, configuration, { counts, owner }));
    comesTo(one);

    expect(comesTo({ ...one, key_type: 'var' })).toMatchObject({ refuse: 503 });
    expect(comesTo(one, 'services/2')).toBeUndefined();
    expect(comesTo({ ...one, default_conn_delay: 0.2 })).toBeUndefined();
  });
});
