import { describe, expect, test } from 'vitest';
import { checkResource } from './check-resource.ts';
import type { CheckContext } from './resource-kind.ts';
import { serviceKind } from './service.ts';

const plugin = { schema: { type: 'object', properties: { list: { type: 'array', default: [] } } } };
const context: CheckContext = {
  plugins: new Map(),
  streamPlugins: new Map([['ip-restriction', plugin]]),
  balancers: new Set(['roundrobin']),
};
const nodes = { '127.0.0.1:3306': 1 };

describe('a service', () => {
  test('needs nothing', () => {
    expect(checkResource(serviceKind, {}, context)).toEqual({ ok: true, document: {} });
  });

  test('with fields that matter to HTTP only keeps them', () => {
    const service = {
      hosts: ['a.example.com', '*.b.example.com'],
      enable_websocket: true,
      script: 'return 1 + 1',
    };

    expect(checkResource(serviceKind, service, context)).toEqual({ ok: true, document: service });
  });

  test('gets the defaults of its upstream and plugins', () => {
    const service = { upstream: { nodes }, plugins: { 'ip-restriction': {} } };

    expect(checkResource(serviceKind, service, context)).toMatchObject({
      ok: true,
      document: { upstream: { type: 'roundrobin' }, plugins: { 'ip-restriction': { list: [] } } },
    });
  });

  test.for([
    [
      { hosts: ['a', 'a'] },
      'invalid configuration: property "hosts" validation failed: expected unique items but items 1 and 2 are equal',
    ],
    [
      { hosts: [] },
      'invalid configuration: property "hosts" validation failed: expect array to have at least 1 items',
    ],
    [{ sni: 'a' }, 'invalid configuration: additional properties forbidden, found sni'],
    [{ upstream: { nodes, type: 'chash' } }, 'unknown balancer type [chash], available are: roundrobin'],
    [{ plugins: { 'mqtt-proxy': {} } }, 'unknown plugin [mqtt-proxy]'],
    [
      { plugins: { 'ip-restriction': { list: 1 } } },
      'failed to check the configuration of plugin ip-restriction err: property "list" validation failed: wrong type: expected array, got number',
    ],
  ] as const)('%j is refused: %s', ([service, message]) => {
    expect(checkResource(serviceKind, service, context)).toEqual({ ok: false, message });
  });
});
