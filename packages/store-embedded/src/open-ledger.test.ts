import type { StoreEntry } from '@apisix-ts/config';
import { createManualClock } from '@apisix-ts/config/contract';
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from './embedded-store.ts';
import { makeFolder } from './fixtures/folder.ts';
import { runChild } from './fixtures/run-child.ts';

describe('a damaged store is set aside and does not open', () => {
  test.for([
    ['is cut in half', async (path) => truncate(path, 40_960)],
    ['ends in its header', async (path) => truncate(path, 60)],
    ['is full of zeros', async (path) => writeFile(path, Buffer.alloc(81_920))],
    ['has its header overwritten', async (path) => overwrite(path, 0)],
    ['has a page overwritten', async (path) => overwrite(path, 20_480)],
    ['lacks a table', async (path) => sql(path, 'DROP TABLE change')],
    ['lacks an entry of an index', async (path) => hideFromIndex(path)],
  ] satisfies [string, (path: string) => Promise<void>][])('it %s', async ([, damage]) => {
    const path = await healthyStore();
    await damage(path);
    const before = await readFile(path);

    const found = await openingError(path);
    const again = await openingError(path);

    const keptAs = String(found.detail['keptAs']);
    expect(found).toMatchObject({ code: 'STORE_CORRUPT', detail: { path } });
    expect(found.message).toContain(`is kept as ${keptAs}`);
    expect(again).toMatchObject({ code: 'STORE_CORRUPT', message: found.message });
    expect((await readFile(keptAs)).equals(before)).toBe(true);
    expect((await readdir(dirname(path))).toSorted()).toEqual(['store.db', basename(keptAs)]);
    expect(keptAs).toMatch(/store\.db\.damaged-\d{8}T\d{6}\.\d{3}Z$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('its log goes along', async () => {
    const path = await crashedStore();
    const log = await readFile(`${path}-wal`);
    // All but the pages that the log has.
    await writeFile(path, Buffer.alloc(81_920, 0xab));

    const { detail } = await openingError(path);

    expect((await readFile(`${String(detail['keptAs'])}-wal`)).equals(log)).toBe(true);
    expect((await readdir(dirname(path))).filter((name) => name.startsWith('store.db-'))).toEqual([]);
  });

  test('a log that was left behind is no danger to the backup that is put in its place', async () => {
    const path = await healthyStore();
    await copyFile(path, `${path}.backup`);
    await overwrite(path, 20_480);
    const { detail } = await openingError(path);
    // As if the process had ended between the two moves.
    await writeFile(`${path}-wal`, 'the log');
    await openingError(path);

    await copyFile(`${path}.backup`, path);

    expect(await readFile(`${String(detail['keptAs'])}-wal`, 'utf8')).toBe('the log');
    expect((await entriesOf(path)).length).toBe(200);
  });

  test('removing the note starts an empty one, and the damaged one stays', async () => {
    const path = await healthyStore();
    await overwrite(path, 20_480);
    const { detail } = await openingError(path);

    await rm(path);

    expect(await entriesOf(path)).toEqual([]);
    expect(await readdir(dirname(path))).toContain(basename(String(detail['keptAs'])));
  });

  test('where nothing can be moved it stays, and still does not open', async () => {
    const path = await healthyStore();
    await overwrite(path, 20_480);
    const before = await readFile(path);
    // The name that it would get is taken.
    const clock = createManualClock();
    const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]/g, '');
    await writeFile(`${path}.damaged-${stamp}`, 'taken');

    const opening = openEmbeddedStore({ path, clock });

    await expect(opening).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(opening).rejects.toThrow('is left as it is');
    expect((await readFile(path)).equals(before)).toBe(true);
    expect((await readdir(dirname(path))).toSorted()).toEqual(['store.db', `store.db.damaged-${stamp}`]);
  });
});

describe('a file that is no store of ours is refused and left as it is', () => {
  test.for([
    ['is empty', async (path) => truncate(path, 0)],
    ['is a text', async (path) => writeFile(path, 'routes:\n  - id: 1\n#END\n'.repeat(100))],
    ['is a short text', async (path) => writeFile(path, 'é')],
    ['is a database of something else', async (path) => sql(path, 'PRAGMA application_id = 7')],
  ] satisfies [string, (path: string) => Promise<void>][])('it %s', async ([, damage]) => {
    const path = await healthyStore();
    await damage(path);
    const before = await readFile(path);

    const opening = openEmbeddedStore({ path });

    await expect(opening).rejects.toMatchObject({ code: 'STORE_CORRUPT', detail: { path } });
    expect((await readFile(path)).equals(before)).toBe(true);
    expect(await readdir(join(path, '..'))).toEqual(['store.db']);
  });

  test('it is missing, and its log is there', async () => {
    const path = join(await folderPath(), 'store.db');
    await writeFile(`${path}-wal`, 'the writes that were not yet in the file');

    await expect(openEmbeddedStore({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await readdir(join(path, '..'))).toEqual(['store.db-wal']);
  });

  test('it is a folder', async () => {
    const path = await folderPath();

    await expect(openEmbeddedStore({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test('it was written by a later version', async () => {
    const path = await healthyStore();
    await sql(path, 'PRAGMA user_version = 2');

    await expect(openEmbeddedStore({ path })).rejects.toMatchObject({
      code: 'STORE_TOO_NEW',
      detail: { version: 2, schemaVersion: 1 },
    });
  });
});

describe('permissions', () => {
  test('a folder that cannot be written', async () => {
    const folder = await folderPath();
    await chmod(folder, 0o555);

    const error = await openAsOrdinaryUser(join(folder, 'store.db'));

    expect(error).toMatchObject({ code: 'STORE_DENIED' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('a folder that cannot be made', async () => {
    const folder = await folderPath();
    await chmod(folder, 0o555);

    expect(await openAsOrdinaryUser(join(folder, 'a/b/store.db'))).toMatchObject({ code: 'STORE_DENIED' });
  });

  test('a path that leads through a file', async () => {
    const path = await healthyStore();

    await expect(openEmbeddedStore({ path: `${path}/store.db` })).rejects.toMatchObject({
      code: 'STORE_DENIED',
    });
  });

  test.for([
    ['read-only', 0o444],
    ['unreadable', 0o000],
  ] as const)('a file that is %s', async ([, mode]) => {
    const path = await healthyStore();
    await chmod(join(path, '..'), 0o777);
    await chmod(path, mode);

    expect(await openAsOrdinaryUser(path)).toMatchObject({ code: 'STORE_DENIED', detail: { path } });
  });
});

test('folders on the way are made', async () => {
  const folder = await folderPath();

  const store = await openEmbeddedStore({ path: join(folder, 'a/b/store.db') });
  onTestFinished(() => store.close());

  expect(await readdir(join(folder, 'a/b'))).toContain('store.db');
});

test('a store that another process has is refused, and that process is named', async () => {
  const path = await healthyStore();
  const child = runChild(path, 'hold');
  await child.line((line) => line === 'open');

  const refused = await openEmbeddedStore({ path }).catch((error: unknown) => error);
  child.process.stdin?.end();
  await child.ended();
  const store = await openEmbeddedStore({ path });
  onTestFinished(() => store.close());

  expect(refused).toMatchObject({ code: 'STORE_LOCKED' });
  if (process.platform === 'linux') {
    expect(refused).toMatchObject({ detail: { pid: child.process.pid } });
    expect(String(refused)).toContain(`process ${child.process.pid}`);
  }
});

async function folderPath(): Promise<string> {
  const folder = await makeFolder();
  onTestFinished(folder.remove);
  // An ordinary user must get this far.
  await chmod(folder.path, 0o755);
  const path = join(folder.path, 'data');
  await mkdir(path);
  return path;
}

/** The path of a closed store of some twenty pages. */
async function healthyStore(): Promise<string> {
  const path = join(await folderPath(), 'store.db');
  const store = await openEmbeddedStore({ path });
  await Promise.all(Array.from({ length: 200 }, (_, n) => store.writer.put(`k${n}`, 'x'.repeat(200))));
  await store.close();
  return path;
}

/** One whose process was killed, so that its log is there. */
async function crashedStore(): Promise<string> {
  const path = await healthyStore();
  const child = runChild(path, 'write');
  onTestFinished(() => void child.process.kill('SIGKILL'));
  await child.line((line) => Number(line) >= 100);
  child.process.kill('SIGKILL');
  await child.ended();
  return path;
}

async function entriesOf(path: string): Promise<readonly StoreEntry[]> {
  const store = await openEmbeddedStore({ path });
  const { entries } = await store.load(new AbortController().signal);
  await store.close();
  return entries;
}

async function openingError(path: string): Promise<GatewayError> {
  const error = await openEmbeddedStore({ path }).catch((reason: unknown) => reason);
  if (isGatewayError(error)) return error;
  throw new TypeError(`expected a GatewayError, found ${String(error)}`);
}

/** Changes a letter of one key in the index on keys: the table has `k17`, and nothing finds it. */
async function hideFromIndex(path: string): Promise<void> {
  const database = new DatabaseSync(path);
  const query = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_entry_1'";
  const page = Number(database.prepare(query).get()?.['rootpage']);
  database.close();
  const bytes = await readFile(path);
  const at = bytes.indexOf('k17', (page - 1) * 4096);
  expect(Math.ceil(at / 4096)).toBe(page);
  await writeFile(path, bytes.fill('!', at + 2, at + 3));
}

async function overwrite(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xab, offset, offset + 4096));
}

async function sql(path: string, statement: string): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec(statement);
  database.close();
}

/** Permissions do not bind root, so a test that runs as root steps down for the call. @returns the error. */
async function openAsOrdinaryUser(path: string): Promise<unknown> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    const store = await openEmbeddedStore({ path });
    await store.close();
    return undefined;
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return error;
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
