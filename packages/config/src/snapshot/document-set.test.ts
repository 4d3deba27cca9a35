import { describe, expect, test } from 'vitest';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { StoreChange, StoreEntry } from '../store/store.ts';
import { DocumentSet } from './document-set.ts';
import type { CheckStored } from './document-set.ts';

const upstreams: ResourceKind = {
  name: 'upstream',
  segment: 'upstreams',
  word: 'upstream',
  schema: { type: 'object' },
  check: (document) => ({ ok: true, document }),
  references: {},
};

/** Refuses documents that say `bad`, and fills in a default. */
const check: CheckStored = (_kind, document) =>
  'bad' in document
    ? { ok: false, message: 'it is bad' }
    : { ok: true, document: { type: 'roundrobin', ...document } };

function entry(key: string, value: unknown, modRevision: number): StoreEntry {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { key, value: text, createRevision: modRevision, modRevision };
}

function setOf(...entries: StoreEntry[]): DocumentSet {
  const set = new DocumentSet([upstreams], check);
  set.load({ revision: 10, entries });
  return set;
}

test('tells when a resource was created and last written, also of one whose last version is bad', () => {
  const set = setOf({ ...entry('upstreams/1', {}, 3), createRevision: 2 });
  set.apply({
    revision: 11,
    events: [{ type: 'put', entry: { ...entry('upstreams/1', { bad: 1 }, 11), createRevision: 2 } }],
  });

  expect(set.revisionsOf('upstreams', '1')).toMatchObject({ createRevision: 2, modRevision: 11 });
  expect(set.revisionsOf('upstreams', '2')).toBeUndefined();
});

describe('the last write to what is there', () => {
  const revisionsOf = (set: DocumentSet): unknown =>
    Object.fromEntries([...set.kindRevisions()].filter((step) => step !== undefined));
  const put = (id: string, modRevision: number): StoreChange => ({
    revision: modRevision,
    events: [{ type: 'put', entry: entry(`upstreams/${id}`, {}, modRevision) }],
  });
  const deletion = (id: string, revision: number): StoreChange => ({
    revision,
    events: [{ type: 'delete', key: `upstreams/${id}` }],
  });

  test('is known without a look at all there is', () => {
    const set = setOf(entry('upstreams/1', {}, 7), entry('upstreams/2', {}, 3));
    expect([...set.kindRevisions()]).toEqual([['upstreams', 7]]);

    set.apply(put('2', 11));
    expect([...set.kindRevisions()]).toEqual([['upstreams', 11]]);
    set.apply(deletion('1', 12));
    expect([...set.kindRevisions()]).toEqual([['upstreams', 11]]);
    expect([set.revision, set.previousRevision]).toEqual([12, 11]);
  });

  test('is found once, step by step, where the last one was deleted', () => {
    const set = setOf(entry('upstreams/1', {}, 7), entry('upstreams/2', {}, 3), entry('upstreams/3', {}, 9));
    set.apply(deletion('3', 11));

    expect([...set.kindRevisions()]).toEqual([undefined, undefined, ['upstreams', 7]]);
    expect([...set.kindRevisions()]).toEqual([['upstreams', 7]]);
  });

  test('is looked for again when something changed meanwhile', () => {
    const set = setOf(entry('upstreams/1', {}, 7), entry('upstreams/2', {}, 8), entry('upstreams/3', {}, 9));
    set.apply(deletion('3', 11));
    const steps = set.kindRevisions()[Symbol.iterator]();
    steps.next();
    steps.next();
    set.apply(deletion('2', 12));
    for (let step = steps.next(); step.done !== true; step = steps.next()) void step;

    expect(revisionsOf(set)).toEqual({ upstreams: 7 });
  });

  test('is that of the last load, also where its store counts anew, and 0 without any', () => {
    const set = setOf(entry('upstreams/1', {}, 7));

    set.load({ revision: 2, entries: [entry('upstreams/1', {}, 2)] });
    expect(revisionsOf(set)).toEqual({ upstreams: 2 });
    set.load({ revision: 3, entries: [] });
    expect(revisionsOf(set)).toEqual({ upstreams: 0 });
  });
});

describe('a kind below another', () => {
  const consumers: ResourceKind = { ...upstreams, name: 'consumer', segment: 'consumers' };
  const credentials: ResourceKind = { ...upstreams, name: 'credential', segment: 'credentials' };
  const jack = entry('consumers/jack', {}, 1);
  const credential = entry('consumers/jack/credentials/1', {}, 2);
  const id = 'jack/credentials/1';

  test('has its own documents', () => {
    const set = new DocumentSet([consumers, credentials], check);

    set.load({ revision: 2, entries: [jack, credential] });

    expect([...set.entries('consumers')].map(([name]) => name)).toEqual(['jack']);
    expect([...set.entries('credentials')].map(([name]) => name)).toEqual([id]);
  });

  test('stays over a load that has it, and goes with one that lacks it', () => {
    const set = new DocumentSet([consumers, credentials], check);
    set.load({ revision: 2, entries: [jack, credential] });

    expect(set.load({ revision: 3, entries: [jack, credential] }).changes).toEqual([]);
    expect(set.load({ revision: 4, entries: [jack] }).changes).toEqual([
      { kind: 'credentials', id, document: undefined },
    ]);
  });
});

describe('a load', () => {
  test('gives every document with its defaults and the id of its key', () => {
    const set = new DocumentSet([upstreams], check);

    const batch = set.load({ revision: 7, entries: [entry('upstreams/a', { id: 'other', nodes: {} }, 3)] });

    expect(batch).toEqual({
      revision: 7,
      changes: [{ kind: 'upstreams', id: 'a', document: { type: 'roundrobin', id: 'a', nodes: {} } }],
      rejections: [],
    });
    expect(set.revision).toBe(7);
  });

  test('passes over placeholders, other kinds and keys of other layouts', () => {
    const set = setOf(
      entry('upstreams/', 'init_dir', 1),
      entry('routes/1', { uri: '/' }, 2),
      entry('plugins', [{ name: 'x' }], 3),
    );

    expect([...set.entries('upstreams')]).toEqual([]);
    expect(set.rejections).toEqual([]);
  });

  test('after a gap removes what is gone and leaves what stayed alone', () => {
    const set = setOf(
      entry('upstreams/gone', {}, 1),
      entry('upstreams/kept', {}, 2),
      entry('upstreams/new', {}, 3),
    );
    const kept = set.get('upstreams', 'kept');

    const batch = set.load({
      revision: 20,
      entries: [entry('upstreams/kept', {}, 2), entry('upstreams/new', { retries: 1 }, 15)],
    });

    expect(batch.changes.map(({ id, document }) => [id, document?.['retries']])).toEqual([
      ['gone', undefined],
      ['new', 1],
    ]);
    expect(set.get('upstreams', 'kept')).toBe(kept);
  });

  test('of a store that was wiped sees another value at the same revision', () => {
    const set = setOf(entry('upstreams/a', { retries: 1 }, 2), entry('upstreams/b', {}, 3));

    const batch = set.load({
      revision: 3,
      entries: [entry('upstreams/a', { retries: 2 }, 2), entry('upstreams/b', {}, 3)],
    });

    expect(batch.changes).toMatchObject([{ id: 'a', document: { retries: 2 } }]);
  });

  test('of the same values at other revisions changes nothing', () => {
    const set = setOf(entry('upstreams/a', {}, 1), entry('upstreams/bad', { bad: 1 }, 2));
    const former = set.get('upstreams', 'a');

    const batch = set.load({
      revision: 30,
      entries: [entry('upstreams/a', {}, 21), entry('upstreams/bad', { bad: 1 }, 22)],
    });

    expect(batch).toEqual({ revision: 30, changes: [], rejections: [] });
    expect(set.get('upstreams', 'a')).toBe(former);
    expect(set.rejections).toMatchObject([{ id: 'bad', revision: 22 }]);
  });

  test('can be had again as it was stored, where the text is kept', () => {
    const entries = [entry('upstreams/a', {}, 1), entry('upstreams/bad', { bad: 1 }, 2)];
    const snapshot = { revision: 3, entries: [...entries, entry('upstreams/', 'init_dir', 3)] };
    const keeping = new DocumentSet([upstreams], check, { keepsText: true });
    keeping.load(snapshot);
    const frugal = setOf(...entries);

    expect([...keeping.stored()]).toEqual(entries);
    expect(keeping.load(snapshot).changes).toEqual([]);
    expect(() => [...frugal.stored()]).toThrow(TypeError);
  });
});

describe('a change', () => {
  test('puts and deletes', () => {
    const set = setOf(entry('upstreams/a', {}, 1));

    const batch = set.apply({
      revision: 11,
      events: [
        { type: 'delete', key: 'upstreams/a' },
        { type: 'put', entry: entry('upstreams/b', {}, 11) },
      ],
    });

    expect(batch.changes.map(({ id, document }) => [id, document !== undefined])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    expect(set.revision).toBe(11);
  });

  test('that writes the same again is a change', () => {
    const set = setOf(entry('upstreams/a', {}, 1));

    const batch = set.apply({
      revision: 11,
      events: [{ type: 'put', entry: entry('upstreams/a', {}, 11) }],
    });

    expect(batch.changes).toMatchObject([{ id: 'a' }]);
  });

  test('to something bad keeps the last good version and reports it', () => {
    const set = setOf(entry('upstreams/a', { retries: 1 }, 1));

    const batch = set.apply({
      revision: 11,
      events: [{ type: 'put', entry: entry('upstreams/a', { bad: 1 }, 11) }],
    });

    const rejection = {
      kind: 'upstreams',
      id: 'a',
      revision: 11,
      message: 'it is bad',
      hasPredecessor: true,
    };
    expect(batch).toEqual({ revision: 11, changes: [], rejections: [rejection] });
    expect(set.get('upstreams', 'a')).toMatchObject({ retries: 1 });
    expect(set.rejections).toEqual([rejection]);
  });

  test('to something good again clears the report', () => {
    const set = setOf(entry('upstreams/a', { bad: 1 }, 1));
    expect(set.rejections).toHaveLength(1);

    set.apply({ revision: 11, events: [{ type: 'put', entry: entry('upstreams/a', {}, 11) }] });

    expect(set.rejections).toEqual([]);
  });

  test('that deletes something bad without a predecessor changes nothing', () => {
    const set = setOf(entry('upstreams/a', { bad: 1 }, 1));

    const batch = set.apply({ revision: 11, events: [{ type: 'delete', key: 'upstreams/a' }] });

    expect(batch.changes).toEqual([]);
    expect(set.rejections).toEqual([]);
  });
});

test.for([
  ['init_dir', /it is not JSON/],
  ['"text"', /a JSON object was expected, found a string/],
  ['[]', /found an array/],
  ['null', /found null/],
] as const)('the value %s is refused with what was expected', ([value, message]) => {
  const set = setOf(entry('upstreams/a', value, 1));

  expect(set.rejections[0]?.message).toMatch(message);
});
