import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from './embedded-store.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { makeFolder } from './fixtures/folder.ts';
import { runChild } from './fixtures/run-child.ts';

const forever = new AbortController().signal;

describe('durability', () => {
  test('a process that is killed while it writes loses no write that it was told is done', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const path = await newPath();
      const child = runChild(path, 'write');
      onTestFinished(() => void child.process.kill('SIGKILL'));
      await child.line((line) => Number(line) >= 400 * round);

      child.process.kill('SIGKILL');
      await child.ended();

      const store = await openEmbeddedStore({ path });
      const { entries } = await store.load(forever);
      await store.close();
      const kept = new Map(entries.map(({ key, value }) => [key, Number(value)]));
      // Every key is written in ascending order, so a later number in its place is a later write.
      const lost = child.lines.filter((line) => (kept.get(`k${Number(line) % 1000}`) ?? -1) < Number(line));
      expect(child.lines.length).toBeGreaterThan(0);
      expect(lost).toEqual([]);
    }
  });

  test('a write beyond the limit on file sizes is refused, and what was there is there', async () => {
    const path = await newPath();

    const child = runChild(path, 'fill', 'ulimit -f 5000 && exec "$@"');
    await child.ended();

    const [outcome = ''] = child.lines;
    expect(outcome).toMatch(/^STORE_FULL after [1-9]/);
    expect(child.process.exitCode).toBe(0);
    const store = await open(path);
    expect((await store.load(forever)).entries).toHaveLength(Number(outcome.split(' ').at(-1)));
    await store.writer.put('after', 'written');
  });

  test('a full disk refuses writes, keeps what it has, and serves again once there is space', async ({
    skip,
  }) => {
    if (process.platform !== 'linux') skip('a small disk of the test’s own needs Linux');
    const folder = await makeFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'store.db');

    // A file system that only this child sees, 3 MB, a third of it taken.
    const mount = `mount -t tmpfs -o size=3m none ${folder.path} || exit; echo mounted`;
    const ballast = `head -c 1000000 /dev/zero > ${path}.ballast`;
    const inside = `${mount}; ${ballast}; exec "$@"`;
    const child = runChild(path, 'refill', `exec unshare --map-root-user --mount sh -c '${inside}' sh "$@"`);
    await child.ended();
    if (child.lines[0] !== 'mounted') skip('this user may not mount a file system');

    const [, outcome = '', kept, stillFull, again] = child.lines;
    expect(outcome).toMatch(/^STORE_FULL after [1-9]/);
    expect(kept).toBe(`${outcome.split(' ').at(-1)} kept`);
    expect(stillFull).toMatch(/^STORE_FULL/);
    expect(again).toBe('written again');
    expect(child.process.exitCode).toBe(0);
  });
});

async function newPath(): Promise<string> {
  const folder = await makeFolder();
  onTestFinished(folder.remove);
  return join(folder.path, 'store.db');
}

async function open(path: string): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore({ path });
  onTestFinished(() => store.close());
  return store;
}
