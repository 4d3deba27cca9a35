import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DocumentSet, createMemoryStore, resourceKinds } from '@apisix-ts/config';
import type { DocumentChange, MemoryStore, Store } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigurationSource } from './configuration-source.ts';

test('a store that is away at start is replaced by what was kept of it, until it is back', async () => {
  const { store, run } = await setUp();
  await store.writer.put('upstreams/kept', '{"retries":1}');
  await store.writer.put('upstreams/gone', '{"retries":2}');
  await store.writer.put('ssls/1', '{"key":"c2VjcmV0IGFzIHN0b3JlZA=="}');
  const first = run();
  await first.source.start();
  await first.source.close();

  const second = run('STORE_UNREACHABLE');
  await second.source.start();
  const kept = second.documents.get('upstreams', 'kept');
  expect(second.ids()).toEqual(['ssls/1', 'upstreams/gone', 'upstreams/kept']);
  expect(second.source.store).toMatchObject({ state: 'away', error: { code: 'STORE_UNREACHABLE' } });
  expect(second.source.snapshot).toMatchObject({ isServing: true, revision: 4 });
  expect(second.lines).toContain('warn the store cannot be loaded; serving the last snapshot kept on disk');
  expect(await readFile(second.path, 'utf8')).toContain('c2VjcmV0IGFzIHN0b3JlZA==');

  second.changes.length = 0;
  await store.writer.delete('upstreams/gone');
  await store.writer.put('upstreams/new', '{"retries":3}');
  second.comeBack();
  await expect.poll(() => second.source.store.state).toBe('following');

  expect(second.changes.map(({ id, document }) => [id, document?.['retries']])).toEqual([
    ['gone', undefined],
    ['new', 3],
  ]);
  expect(second.documents.get('upstreams', 'kept')).toBe(kept);
  expect(second.source.snapshot?.isServing).toBe(false);
  expect(second.lines).toContain('notice the store is back');
  await second.source.close();

  const third = run('STORE_DENIED');
  await third.source.start();
  expect(third.ids()).toEqual(['ssls/1', 'upstreams/kept', 'upstreams/new']);
});

test('a store that answers at the last try is used, not the snapshot', async () => {
  const { store, run } = await setUp();
  await store.writer.put('upstreams/1', '{}');
  const first = run();
  await first.source.start();
  await first.source.close();
  await store.writer.put('upstreams/2', '{}');

  const second = run('STORE_UNREACHABLE', { failures: 1 });
  await second.source.start();

  expect(second.ids()).toEqual(['upstreams/1', 'upstreams/2']);
  expect(second.source.snapshot?.isServing).toBe(false);
});

test('without a snapshot the start fails with what the store says', async () => {
  const { run } = await setUp();
  const { source, lines } = run('STORE_UNREACHABLE');

  await expect(source.start()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });

  expect(lines).toEqual([
    'error the store is away; nothing is loaded yet',
    'error the store is away; nothing is loaded yet',
  ]);
});

test.for([
  ['damaged', (text: string): string => text.replace('"upstreams/1"', '"upstreams/2"'), 'SNAPSHOT_CORRUPT'],
  ['of another prefix', (text: string): string => text.replace('/apisix', '/other'), 'SNAPSHOT_FOREIGN'],
] as const)('with a snapshot that is %s the start fails too', async ([, change, code]) => {
  const { store, run, path } = await setUp();
  await store.writer.put('upstreams/1', '{}');
  const first = run();
  await first.source.start();
  await first.source.close();
  await writeFile(path, change(await readFile(path, 'utf8')));

  const { source, lines, ids } = run('STORE_UNREACHABLE');
  await expect(source.start()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });

  expect(ids()).toEqual([]);
  expect(lines.filter((line) => line.includes(code))).toHaveLength(1);
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

interface Run {
  readonly source: ConfigurationSource;
  readonly documents: DocumentSet;
  readonly changes: DocumentChange[];
  readonly lines: readonly string[];
  readonly path: string;
  readonly comeBack: () => void;
  /** What is in effect: `upstreams/1`. */
  readonly ids: () => readonly string[];
}

interface SetUp {
  readonly store: MemoryStore;
  readonly path: string;
  /** A process whose loads fail with `error`, the first two of them or until it comes back. */
  readonly run: (error?: ErrorCode, options?: { readonly failures?: number }) => Run;
}

async function setUp(): Promise<SetUp> {
  const folder = await mkdtemp(join(tmpdir(), 'snapshot-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'snapshot.jsonl');
  const store = createMemoryStore();
  return {
    store,
    path,
    run(error, { failures = Infinity } = {}) {
      let left = error === undefined ? 0 : failures;
      const faulty: Store = {
        ...store,
        async load(signal) {
          left -= 1;
          if (left >= 0 && error !== undefined) throw new GatewayError(error, 'as the test wants it');
          return store.load(signal);
        },
      };
      const lines: string[] = [];
      const changes: DocumentChange[] = [];
      const documents = new DocumentSet(resourceKinds, (_kind, document) => ({ ok: true, document }), {
        keepsText: true,
      });
      const source = new ConfigurationSource({
        store: faulty,
        snapshot: { path, origin: { store: 'etcd', prefix: '/apisix', hosts: ['http://127.0.0.1:2379'] } },
        documents,
        publish: (batch) => changes.push(...batch.changes),
        startupTries: 2,
        retryDelaysMs: [1],
        log: (level, message, { code = '' } = {}) => lines.push(`${level} ${message} ${String(code)}`.trim()),
      });
      onTestFinished(() => source.close());
      return {
        source,
        documents,
        changes,
        lines,
        path,
        comeBack: () => (left = 0),
        ids: () =>
          resourceKinds
            .flatMap(({ segment }) => [...documents.entries(segment)].map(([id]) => `${segment}/${id}`))
            .toSorted(),
      };
    },
  };
}
