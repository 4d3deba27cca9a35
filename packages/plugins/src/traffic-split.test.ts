import { checkResource, streamRouteKind } from '@apisix-ts/config';
import type { DocumentCheck } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import type { PluginSession } from '@apisix-ts/core';
import { describe, expect, test } from 'vitest';
import { compilePlugin, faultOf, preread } from './testing/plugin-scene.ts';
import { trafficSplit } from './traffic-split.ts';

const upstream = { nodes: { '127.0.0.1:1995': 1 } };
const inRules = 'property "rules" validation failed: failed to validate item 1: ';

test.for<object>([
  {},
  { rules: [] },
  { rules: [{}] },
  { rules: [{ weighted_upstreams: [{ upstream_id: 1, weight: 0 }, { upstream }, {}] }] },
  { rules: [{ match: [{ vars: [] }, { vars: ['OR', ['a', '==', 1], ['b', '~~', '^c']] }] }] },
])('%j is a split', (configuration) => {
  expect(faultOf(trafficSplit, configuration)).toBeUndefined();
});

test.for([
  [{ rules: 1 }, 'property "rules" validation failed: wrong type: expected array, got number'],
  [
    { rules: [{ weighted_upstreams: [] }] },
    `${inRules}property "weighted_upstreams" validation failed: expect array to have at least 1 items`,
  ],
  [
    { rules: [{ weighted_upstreams: [{ weight: -1 }] }] },
    `${inRules}property "weighted_upstreams" validation failed: failed to validate item 1: property "weight" validation failed: expected -1 to be at least 0`,
  ],
  [
    { rules: [{ weighted_upstreams: [{ upstream: { nodes: { '127.0.0.1:80': 'x' } } }] }] },
    expect.stringMatching(/property "upstream" validation failed: property "nodes" validation failed/),
  ],
  [
    { rules: [{ match: [{ vars: [['a', '=', 1]] }] }] },
    "failed to validate the 'vars' expression: invalid operator '='",
  ],
  [
    { rules: [{}, { match: [{ vars: [['a', 'b']] }, { vars: [['a']] }] }] },
    "failed to validate the 'vars' expression: rule too short",
  ],
  [{ rules: [{ match: [{}] }] }, "failed to validate the 'vars' expression: missing argument rule"],
])('%j: %s', ([configuration, fault]) => {
  expect(faultOf(trafficSplit, configuration as object)).toEqual(fault);
});

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value);
}

describe('a session', () => {
  /**
   * Sends so many sessions, all with these variables, where there are the upstreams a and b and all that are in it.
   * @returns where each went, `own` for the upstream of its route, or why it was refused.
   */
  function send(
    configuration: object,
    count = 1,
    variables: Readonly<Record<string, string | number>> = {},
  ): readonly string[] {
    const handlers = compilePlugin(trafficSplit, configuration);
    return Array.from({ length: count }, () => {
      let to = 'own';
      const facts: Partial<PluginSession> = {
        variable: (name) => variables[name],
        useUpstream(key) {
          if (key.startsWith('upstreams/') && key !== 'upstreams/a' && key !== 'upstreams/b') return false;
          to = key;
          return true;
        },
      };
      const step = preread(handlers, facts);
      return step === undefined ? to : JSON.stringify(step);
    });
  }

  test('goes to upstreams as their weights say', () => {
    const sent = send(
      {
        rules: [
          {
            weighted_upstreams: [
              { upstream_id: 'a', weight: 9 },
              { upstream_id: 'b', weight: 1 },
            ],
          },
        ],
      },
      10,
    );

    expect(sent.toSorted()).toEqual([...times(9, 'upstreams/a'), 'upstreams/b']);
  });

  test.for([
    ['with neither id nor upstream it is the own one', [{ weight: 1 }], ['own', 'own']],
    ['without anything it is the own one', undefined, ['own', 'own']],
    [
      'an id goes before an upstream beside it',
      [{ upstream_id: 'a', upstream }],
      ['upstreams/a', 'upstreams/a'],
    ],
    [
      'an upstream of its own',
      [{ upstream_id: 'a', weight: 0 }, { upstream }],
      times(2, 'stream_routes/1/rules/0/weighted_upstreams/1'),
    ],
    [
      'what has no weight gets none, and if none has one it is the own one',
      [{ upstream_id: 'a', weight: 0 }],
      ['own', 'own'],
    ],
    [
      'one that does not exist refuses',
      [{ upstream_id: 7 }],
      times(2, '{"refuse":500,"reason":"failed to fetch upstream info by upstream id: 7"}'),
    ],
    [
      'one that does not exist and whose turn never comes does not',
      [{ upstream_id: 'gone', weight: 0 }, { upstream_id: 'b' }],
      ['upstreams/b', 'upstreams/b'],
    ],
  ])('%s', ([, entries, expected]) => {
    const rule = entries === undefined ? {} : { weighted_upstreams: entries };

    expect(send({ rules: [rule] }, 2)).toEqual(expected);
  });

  const toB = { weighted_upstreams: [{ upstream_id: 'b' }] };

  test.for([
    [
      'one of the matches has to hold',
      [{ vars: [['x', '==', 2]] }, { vars: [['x', '==', 1]] }],
      'upstreams/b',
    ],
    [
      'all of its conditions have to',
      [
        {
          vars: [
            ['x', '==', 1],
            ['y', '==', 1],
          ],
        },
      ],
      'own',
    ],
    ['none holds', [{ vars: [['x', '==', 2]] }, { vars: [['x', '>', 2]] }], 'own'],
    ['an empty list of matches holds', [], 'upstreams/b'],
    ['an empty expression holds', [{ vars: [] }], 'upstreams/b'],
  ] as const)('%s', ([, match, to]) => {
    expect(send({ rules: [{ match, ...toB }] }, 1, { x: '1' })).toEqual([to]);
  });

  test('the first rule that matches decides', () => {
    const rules = [
      { match: [{ vars: [['route_id', '==', 3]] }], weighted_upstreams: [{ upstream_id: 'a' }] },
      { match: [{ vars: [['route_id', '==', 4]] }], weighted_upstreams: [{ weight: 1 }] },
      toB,
    ];

    expect(send({ rules }, 1, { route_id: '3' })).toEqual(['upstreams/a']);
    expect(send({ rules }, 1, { route_id: '4' })).toEqual(['own']);
    expect(send({ rules }, 1, { route_id: '5' })).toEqual(['upstreams/b']);
    expect(send({}, 1)).toEqual(['own']);
  });
});

test('tells of the upstreams that it names or has', () => {
  const rules = [
    {
      weighted_upstreams: [
        { upstream_id: 1, weight: 1 },
        { upstream, weight: 1 },
      ],
    },
    { weighted_upstreams: [{ weight: 1 }, { upstream_id: 'b', upstream, weight: 0 }] },
  ];

  expect(trafficSplit.upstreams?.({ rules })).toEqual([
    { id: '1' },
    { place: 'rules/0/weighted_upstreams/1', upstream },
    { id: 'b' },
  ]);
});

describe('an upstream within it', () => {
  const streamPlugins = new Map([[trafficSplit.name, trafficSplit]]);
  const check = (within: object, isStored = false): DocumentCheck =>
    checkResource(
      streamRouteKind,
      { plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{}, { upstream: within }] }] } } },
      { plugins: new Map(), streamPlugins, balancers: new Set(['roundrobin', 'chash']), isStored },
    );
  const fault = (reason: string): object => ({
    ok: false,
    message: `failed to check the configuration of stream plugin [traffic-split]: rules/0/weighted_upstreams/1/upstream: ${reason}`,
  });

  test('gets its defaults', () => {
    expect(check(upstream)).toMatchObject({
      document: {
        plugins: {
          'traffic-split': {
            rules: [{ weighted_upstreams: [{ weight: 1 }, { weight: 1, upstream: { type: 'roundrobin' } }] }],
          },
        },
      },
    });
  });

  test.for([
    [{ ...upstream, type: 'chash' }, 'missing key'],
    [{ ...upstream, type: 'magic' }, 'unknown balancer type [magic], available are: chash, roundrobin'],
  ] as const)('is checked as any other: %j', ([within, reason]) => {
    expect(check(within)).toEqual(fault(reason));
  });

  test('has no private key, which would be stored as it is', () => {
    const { cert, key } = testPairs.one;
    const withKey = { ...upstream, scheme: 'tls', tls: { client_cert: cert, client_key: key } };
    const withReference = { ...withKey, tls: { client_cert: cert, client_key: '$env://KEY' } };

    expect(check(withKey)).toEqual(
      fault(
        'tls.client_key would be stored in clear text, expected tls.client_cert_id or a reference to a secret',
      ),
    );
    expect(check(withReference)).toMatchObject({ ok: true });
    expect(check(withKey, true)).toMatchObject({ ok: true });
  });
});
