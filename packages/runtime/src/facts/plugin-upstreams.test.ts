import type { DocumentChange } from '@apisix-ts/config';
import { streamPlugins } from '@apisix-ts/plugins';
import { expect, test } from 'vitest';
import { openFactScene, readFacts, upstreamOf } from '../testing/fact-scene.ts';
import type { FactScene } from '../testing/fact-scene.ts';
import type { FactChange } from './facts.ts';

type Document = DocumentChange['document'];

const enabled = new Map(
  streamPlugins.filter(({ name }) => name === 'traffic-split').map((plugin) => [plugin.name, plugin]),
);
const open = (): FactScene => openFactScene(undefined, enabled);

const checks = { active: { type: 'tcp' } };
const checked = { ...upstreamOf('192.0.2.1'), checks };
const withSplit = (...targets: object[]): Document => ({
  plugins: { 'traffic-split': { rules: [{ weighted_upstreams: targets }] } },
});
const route = (document: Document, id = 'r'): DocumentChange => ({ kind: 'stream_routes', id, document });
const service = (document: Document): DocumentChange => ({ kind: 'services', id: 's', document });
const named: DocumentChange = { kind: 'upstreams', id: 'u', document: checked };
const placeOf = (owner: string, index = 0): string =>
  `${owner}/plugins/traffic-split/rules/0/weighted_upstreams/${index}`;

/** Kinds and keys, with a minus before those that are to be forgotten. */
function compile({ compiler }: FactScene, ...changes: DocumentChange[]): readonly string[] {
  return Array.from(compiler.compile(changes), describeFact);
}

function describeFact({ kind, key, facts }: FactChange): string {
  return `${facts === undefined ? '-' : ''}${kind} ${key}`;
}

test('one within a plugin comes before its owner, and is forgotten after it drops it', () => {
  const scene = open();
  const two = withSplit({ upstream: upstreamOf('192.0.2.1') }, { upstream: upstreamOf('192.0.2.2') });

  expect(compile(scene, route(two))).toEqual([
    `upstream ${placeOf('stream_routes/r')}`,
    `upstream ${placeOf('stream_routes/r', 1)}`,
    'route r',
  ]);
  expect(scene.slots.nodes.size).toBe(2);

  expect(compile(scene, route(withSplit({ upstream: upstreamOf('192.0.2.1') })))).toEqual([
    `upstream ${placeOf('stream_routes/r')}`,
    'route r',
    `-upstream ${placeOf('stream_routes/r', 1)}`,
  ]);
  expect(compile(scene, route(undefined))).toEqual(['-route r', `-upstream ${placeOf('stream_routes/r')}`]);
  expect(scene.slots.nodes.size).toBe(0);
});

test.each([
  ['switched off', { 'traffic-split': { rules: 'wrong', _meta: { disable: true } } }],
  ['not enabled', { absent: { rules: [{ weighted_upstreams: [{ upstream: checked }] }] } }],
])('a plugin that is %s has none', (_, plugins) => {
  const scene = open();

  void scene.compiler.adopt([route({ plugins })]);

  expect(compile(scene, route({ plugins }))).toEqual(['route r']);
  expect(scene.watched.size).toBe(0);
});

test('the names in it are followed while it is there, and bring new facts', () => {
  const scene = open();
  const change = service(withSplit({ weight: 1 }, { upstream: upstreamOf('a.test') }));

  void scene.compiler.adopt([change]);
  void compile(scene, change);
  scene.names.addresses.set('a.test', ['192.0.2.7']);

  expect(scene.names.users).toEqual(new Map([['a.test', 1]]));
  expect(readFacts(scene.compiler.compileUsersOf('host', 'a.test'))).toMatchObject([
    { key: placeOf('services/s', 1), facts: { nodes: [{ host: 'a.test', address: '192.0.2.7' }] } },
  ]);

  void scene.compiler.adopt([service({})]);
  expect(scene.names.users.size).toBe(0);
});

test('a name that moves into a plugin is never let go', () => {
  const scene = open();
  void scene.compiler.adopt([route({ upstream: upstreamOf('db.test') })]);
  const unfollow = scene.names.unfollow.bind(scene.names);
  const left: (number | undefined)[] = [];
  scene.names.unfollow = (name) => {
    unfollow(name);
    left.push(scene.names.users.get(name));
  };

  void scene.compiler.adopt([route(withSplit({ upstream: upstreamOf('db.test') }))]);

  expect(left).toEqual([1]);
});

test('one that cannot serve is logged', () => {
  const { compiler, logged } = open();

  void compiler.adopt([route(withSplit({ upstream: { nodes: [{ host: 'a.test', weight: 1 }] } }))]);

  expect(logged).toContain('an upstream cannot serve');
});

test('health of one within a route is watched, of one within a service while it has a route', () => {
  const scene = open();
  const split = withSplit({ upstream: checked });
  const watchedAfter = (change: DocumentChange): readonly string[] => {
    compile(scene, change);
    return [...scene.watched.keys()];
  };

  expect(watchedAfter(route(split))).toEqual([placeOf('stream_routes/r')]);
  expect(watchedAfter(route(undefined))).toEqual([]);
  expect(watchedAfter(service(split))).toEqual([]);
  expect(watchedAfter(route({ service_id: 's' }))).toEqual([placeOf('services/s')]);
  // The plugins of a service look at its sessions all the same.
  expect(watchedAfter(route({ service_id: 's', upstream_id: 'u' }))).toEqual([placeOf('services/s')]);
  expect(watchedAfter(route({}))).toEqual([]);
});

test('health of one that a plugin names is watched while it does', () => {
  const scene = open();
  const split = withSplit({ upstream_id: 'u' }, { upstream_id: 'u' });
  const watchedAfter = (...changes: DocumentChange[]): readonly string[] => {
    compile(scene, ...changes);
    return [...scene.watched.keys()];
  };

  expect(watchedAfter(named)).toEqual([]);
  expect(watchedAfter(route(split))).toEqual(['upstreams/u']);
  expect(watchedAfter(route({ upstream_id: 'u' }))).toEqual(['upstreams/u']);
  expect(watchedAfter(route(split), route({ upstream_id: 'u' }, 'second'))).toEqual(['upstreams/u']);
  expect(watchedAfter(route({}), route(undefined, 'second'))).toEqual([]);
  expect(watchedAfter(service(split))).toEqual([]);
  expect(watchedAfter(route({ service_id: 's' }))).toEqual(['upstreams/u']);
  expect(watchedAfter(service({ upstream_id: 'u' }))).toEqual(['upstreams/u']);
  expect(scene.unwatched).toEqual(['upstreams/u']);
  expect(watchedAfter(service({}))).toEqual([]);
});

test('a worker that comes later is told the same', () => {
  const scene = open();
  const change = route(withSplit({ upstream: upstreamOf('192.0.2.1') }));
  const first = compile(scene, change);

  expect(compile(scene, change)).toEqual(first);
});
