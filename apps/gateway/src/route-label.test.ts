import type { Document } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import { routeLabel } from './route-label.ts';

const preferring = { prometheus: { prefer_name: true } };
const services: Readonly<Record<string, Document>> = { s: { plugins: preferring } };

function labelOf(
  route: Document | undefined,
  { plugins = ['prometheus'], prefersNames = false } = {},
): string {
  const documents = {
    get: (kind: string, id: string) => (kind === 'stream_routes' ? route : services[id]),
  };
  return routeLabel('1', { documents, plugins: new Set(plugins) }, { prefer_name: prefersNames });
}

test.for<readonly [string, Document | undefined, string]>([
  ['is gone', undefined, '1'],
  ['has no name', { plugins: preferring }, '1'],
  ['has no plugin', { name: 'orders' }, '1'],
  ['has the plugin', { name: 'orders', plugins: { prometheus: {} } }, '1'],
  ['has the plugin, which prefers names', { name: 'orders', plugins: preferring }, 'orders'],
  ['has a service that has it', { name: 'orders', service_id: 's' }, 'orders'],
  ['has it, and so has its service', { name: 'orders', service_id: 's', plugins: { prometheus: {} } }, '1'],
  [
    'has it, switched off',
    { name: 'orders', plugins: { prometheus: { prefer_name: true, _meta: { disable: true } } } },
    '1',
  ],
])('a route that %s', ([, route, label]) => {
  expect(labelOf(route)).toBe(label);
});

test('without the plugin in the list of those there are, it prefers nothing', () => {
  expect(labelOf({ name: 'orders', plugins: preferring }, { plugins: [] })).toBe('1');
});

test('the setting is for all routes', () => {
  expect(labelOf({ name: 'orders' }, { plugins: [], prefersNames: true })).toBe('orders');
});
