import type { Store, StoreChange } from '@apisix-ts/config';
import { createManualClock } from '@apisix-ts/config/contract';
import type { ManualClock } from '@apisix-ts/config/contract';
import { link, mkdir, open, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openFileStore } from './file-store.ts';
import type { FileStoreOptions } from './file-store.ts';
import { makeResourceFolder, routesYaml } from './testing/resource-folder.ts';
import type { ResourceFolder } from './testing/resource-folder.ts';

const forever = new AbortController().signal;

describe('an edit', () => {
  test.for<[string, (folder: ResourceFolder, text: string) => Promise<void>]>([
    ['in place', ({ write }, text) => write(text)],
    [
      'by a rename over the file',
      async ({ path }, text) => {
        await writeFile(`${path}.new`, text);
        await rename(`${path}.new`, path);
      },
    ],
    [
      'by removing the file and making another',
      async ({ path, write }, text) => {
        await rm(path);
        await write(text);
      },
    ],
    [
      'that leaves time and size as they were',
      async ({ path, write }, text) => {
        const { atime, mtime } = await stat(path);
        await write(text);
        await utimes(path, atime, mtime);
      },
    ],
  ])('%s is one change, of what differs', async ([, edit]) => {
    const { folder, store, poll } = await openStore(routesYaml({ a: 'one', b: 'kept', c: 'gone' }));
    await poll();
    const before = await contentOf(store);

    await edit(folder, routesYaml({ a: 'two', b: 'kept', d: 'came' }));
    const change = await poll();

    expect(change?.events).toMatchObject([
      { type: 'delete', key: 'routes/c' },
      { type: 'put', entry: { key: 'routes/a', createRevision: 2, modRevision: 3 } },
      { type: 'put', entry: { key: 'routes/d', createRevision: 3, modRevision: 3 } },
    ]);
    expect((await contentOf(store))['routes/b']).toBe(before['routes/b']);
  });

  test('of a folder behind a link, as Kubernetes makes it, is seen', async () => {
    const { folder, path } = await makeFolder();
    const publish = async (version: string, text: string): Promise<void> => {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'apisix.yaml'), text);
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await publish('..v1', routesYaml({ a: 'one' }));
    await symlink('..data/apisix.yaml', path);
    const { store, poll, logged } = await openStore(undefined, { path });

    await publish('..v2', routesYaml({ a: 'two' }));
    await rm(join(folder, '..v1'), { recursive: true });
    await poll();

    expect(await contentOf(store)).toEqual({ 'routes/a': '{"id":"a","desc":"two"}' });
    expect(logged).toEqual([`warn config file ${path} reloaded.`]);
  });

  test('is seen without anyone asking for it', async () => {
    const folder = await makeFolder(routesYaml({ a: 'one' }));
    const store = await openFileStore({ path: folder.path, format: 'yaml', env: {} });
    onTestFinished(() => store.close());

    await folder.write(routesYaml({ a: 'two' }));
    const change = await store.watch(2, forever)[Symbol.asyncIterator]().next();

    expect(change.value).toMatchObject({ revision: 3 });
  });

  test.for<[string, (folder: ResourceFolder) => Promise<void>]>([
    ['touching the file', ({ path }) => utimes(path, new Date(), new Date())],
    ['another link to it', ({ path }) => link(path, `${path}.link`)],
    ['writing the same again', ({ write }) => write(routesYaml({ a: 'one' }))],
  ])('is not made by %s', async ([, act]) => {
    const { folder, store, poll, logged } = await openStore(routesYaml({ a: 'one' }));
    await poll();

    await act(folder);

    expect([await poll(), await poll(), await poll()]).toEqual([undefined, undefined, undefined]);
    expect(logged).toEqual([]);
    expect((await store.load(forever)).revision).toBe(2);
  });

  test('of a comment is taken over, and changes nothing', async () => {
    const { folder, poll, logged } = await openStore(routesYaml({ a: 'one' }));

    await folder.write(`# new\n${routesYaml({ a: 'one' })}`);

    expect(await poll()).toBeUndefined();
    expect(logged).toEqual([`warn config file ${folder.path} reloaded.`]);
  });
});

describe('a file that is bad', () => {
  const good = routesYaml({ a: 'one' });

  test.for([
    ['without its end mark', 'routes: []\n', 'missing valid end flag in file'],
    ['that is no YAML', 'routes: [\n#END\n', 'apisix.yaml:3:1: YAML syntax error: '],
    [
      'with a variable that is missing',
      'routes: [{id: "${{UNSET}}"}]\n#END',
      'apisix.yaml:1:16: failed to handle',
    ],
    ['that is empty', '#END', 'failed update config: empty table'],
  ] as const)('%s changes nothing, is told once, and so is its recovery', async ([, text, reason]) => {
    const { folder, store, poll, logged } = await openStore(good);

    await folder.write(text);
    for (let count = 0; count < 5; count += 1) await poll();
    await folder.write(good);
    for (let count = 0; count < 5; count += 1) await poll();

    expect(logged).toEqual([
      expect.stringContaining(`error the file is not taken over; the last good configuration keeps serving`),
      `warn config file ${folder.path} reloaded.`,
    ]);
    expect(logged[0]).toContain(reason);
    expect((await store.load(forever)).revision).toBe(2);
  });

  test('in another way is told again', async () => {
    const { folder, poll, logged } = await openStore(good);

    for (const text of ['a', 'b']) {
      await folder.write(`${text}: [\n#END`);
      await poll();
      await poll();
    }

    expect(logged).toHaveLength(2);
  });

  test('for a moment, between two polls, is not told', async () => {
    const { folder, poll, logged } = await openStore(good);

    await folder.write('routes:\n');
    await poll();
    await folder.write(routesYaml({ a: 'two' }));
    await poll();
    await poll();

    expect(logged).toEqual([`warn config file ${folder.path} reloaded.`]);
  });

  test('because it is gone keeps what was there, until it is back', async () => {
    const { folder, store, poll, logged } = await openStore(good);

    await rm(folder.path);
    for (let count = 0; count < 3; count += 1) await poll();
    const whileGone = await contentOf(store);
    await folder.write(routesYaml({ b: 'two' }));
    await poll();

    expect(whileGone).toHaveProperty('routes/a');
    expect(await contentOf(store)).not.toHaveProperty('routes/a');
    expect(logged).toEqual([
      expect.stringContaining(`SETTINGS_FILE_UNREADABLE failed to fetch ${folder.path} attributes: ENOENT`),
      `warn config file ${folder.path} reloaded.`,
    ]);
  });

  test('at whatever length it is cut off never shows a part', async () => {
    const { folder, store, poll } = await openStore(good);
    const next = routesYaml({ b: 'two', c: 'three' });

    for (let length = 0; length < next.length - 1; length += 1) {
      await folder.write(next.slice(0, length));
      expect(await poll()).toBeUndefined();
      expect(Object.keys(await contentOf(store))).toEqual(['routes/a']);
    }
  });
});

describe('a part that is bad', () => {
  test('leaves a kind as it was, and the others change', async () => {
    const { folder, store, poll, logged } = await openStore('routes: [{id: a}]\nupstreams: [{id: u}]\n#END');

    await folder.write('routes: {id: b}\nupstreams: [{id: v}]\n#END');
    await poll();

    expect(Object.keys(await contentOf(store))).toEqual(['routes/a', 'upstreams/v']);
    expect(logged[1]).toMatch(
      /^error a part of the file cannot be used RESOURCE_INVALID .*apisix\.yaml:1:1: routes /,
    );
  });

  test('is told when the store is opened, with what is odd', async () => {
    const { logged } = await openStore('routes: [{id: a}, {id: ""}, {id: a}]\nupstream: []\n#END');

    expect(logged).toEqual([
      expect.stringContaining('apisix.yaml:1:20: item 2 of routes is ignored'),
      expect.stringContaining('apisix.yaml:1:29: routes/a is written a second time'),
      expect.stringContaining('apisix.yaml:2:1: "upstream" is no kind of resource'),
    ]);
  });

  test('of a single resource is handed on as it is', async () => {
    const { store } = await openStore('routes: [7, {id: x, uri: []}]\n#END');

    expect(await contentOf(store)).toEqual({ 'routes/arr_1': '7', 'routes/x': '{"id":"x","uri":[]}' });
  });
});

describe('opening', () => {
  test.for([
    ['no file', undefined, 'SETTINGS_FILE_UNREADABLE'],
    ['a file without its end mark', 'routes: []', 'SETTINGS_SYNTAX'],
    ['a missing variable', 'routes: [{id: "${{UNSET}}"}]\n#END', 'SETTINGS_VARIABLE_MISSING'],
  ] as const)('is refused with %s', async ([, text, code]) => {
    const { path } = await makeFolder(text);

    await expect(openFileStore({ path, format: 'yaml', env: {} })).rejects.toMatchObject({ code });
  });

  test('replaces variables from the environment that it is given', async () => {
    const { store } = await openStore('routes: [{id: "${{ID}}"}]\n#END', { env: { ID: '007' } });

    expect(await contentOf(store)).toEqual({ 'routes/007': '{"id":"007"}' });
  });
});

test('a watch can be as many changes behind as the history is long, and no more', async () => {
  const { folder, store, poll } = await openStore(routesYaml({ a: '1' }), { historyLength: 3 });
  for (const desc of ['2', '3', '4', '5']) {
    await folder.write(routesYaml({ a: desc }));
    await poll();
  }

  const inTime = await store.watch(3, forever)[Symbol.asyncIterator]().next();
  const tooLate = store.watch(2, forever)[Symbol.asyncIterator]().next();

  expect(inTime.value).toMatchObject({ revision: 4 });
  await expect(tooLate).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
});

test.for(['yaml', 'json'] as const)(
  'a storm of edits in place never shows half of one: %s',
  async (format) => {
    /** Larger and smaller by turns, so that what remains of one could complete the next. */
    const text = (edit: number): string => {
      const routes = Array.from({ length: 20 + (edit % 7) * 10 }, (_, id) => ({ id, desc: `edit ${edit}` }));
      return (
        JSON.stringify({ upstreams: [{ id: 1, desc: `edit ${edit}` }], routes }) +
        (format === 'yaml' ? '\n#END' : '')
      );
    };
    const { path } = await makeFolder(text(0), format);
    const store = await openFileStore({ path, format, env: {}, intervalMs: 1 });
    onTestFinished(() => store.close());
    const seen = new Set<number>();
    const edits = 150;

    const look = async (): Promise<void> => {
      while (!seen.has(edits)) {
        const { entries } = await store.load(forever);
        const names = new Set(entries.map(({ value }) => /edit \d+/.exec(value)?.[0]));
        const edit = Number([...names][0]?.slice(5));
        expect([names.size, entries.length]).toEqual([1, 21 + (edit % 7) * 10]);
        seen.add(edit);
      }
    };
    const write = async (): Promise<void> => {
      for (let edit = 1; edit <= edits; edit += 1) {
        const file = await open(path, 'w');
        const bytes = Buffer.from(text(edit));
        for (let at = 0; at < bytes.length; at += 700) await file.write(bytes.subarray(at, at + 700));
        await file.close();
        await turn();
      }
    };
    await Promise.all([look(), write()]);

    expect(seen.size).toBeGreaterThan(1);
  },
);

test('the example of the README', async () => {
  const { path } = await makeFolder(routesYaml({ a: 'one' }));
  const conf = join(path, '..');
  const signal = AbortSignal.timeout(60_000);
  const { env } = process;

  const store = await openFileStore({ path: join(conf, 'apisix.yaml'), format: 'yaml', env });
  const { revision, entries } = await store.load(signal);
  await writeFile(path, routesYaml({ a: 'one', b: 'two' }));
  for await (const change of store.watch(revision, signal)) {
    expect(change).toMatchObject({ revision: 3, events: [{ type: 'put', entry: { key: 'routes/b' } }] });
    break;
  }
  await store.close();

  expect([revision, entries.map(({ key }) => key)]).toEqual([2, ['routes/a']]);
});

interface Opened {
  readonly folder: ResourceFolder;
  readonly store: Store;
  /** What was logged: level, message, code and reason. */
  readonly logged: readonly string[];
  /** Lets the store look once. @returns the change that it made, if it did. */
  readonly poll: () => Promise<StoreChange | undefined>;
}

async function openStore(text: string | undefined, more: Partial<FileStoreOptions> = {}): Promise<Opened> {
  const folder = await makeFolder(text);
  const clock = createCountingClock();
  const logged: string[] = [];
  const store = await openFileStore({
    path: folder.path,
    format: 'yaml',
    env: {},
    clock,
    log: (level, message, { code = '', reason = '' }) =>
      logged.push(`${level} ${message} ${String(code)} ${String(reason)}`.replaceAll(/ +/g, ' ').trim()),
    ...more,
  });
  onTestFinished(() => store.close());
  let revision = 2;
  return {
    folder,
    store,
    logged,
    poll: async () => {
      const { scheduled } = clock;
      clock.advance(500);
      while (clock.scheduled === scheduled) await turn();
      return takeChange(store, revision, (change) => ({ revision } = change));
    },
  };
}

/** Counts what is waited for: a poll that ended has scheduled the next. */
function createCountingClock(): ManualClock & { readonly scheduled: number } {
  const clock = createManualClock();
  let scheduled = 0;
  return {
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    after(delayMs, callback) {
      scheduled += 1;
      return clock.after(delayMs, callback);
    },
    get scheduled() {
      return scheduled;
    },
  };
}

/** The change after a revision, if there is one already. */
async function takeChange(
  store: Store,
  since: number,
  onChange: (change: StoreChange) => void,
): Promise<StoreChange | undefined> {
  const controller = new AbortController();
  const next = store.watch(since, controller.signal)[Symbol.asyncIterator]().next();
  await turn();
  controller.abort();
  const step = await next;
  if (step.done === true) return undefined;
  onChange(step.value);
  return step.value;
}

async function contentOf(store: Store): Promise<Record<string, string>> {
  const { entries } = await store.load(forever);
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

async function makeFolder(text?: string, format: 'yaml' | 'json' = 'yaml'): Promise<ResourceFolder> {
  const folder = await makeResourceFolder(format, text);
  onTestFinished(folder.remove);
  return folder;
}
