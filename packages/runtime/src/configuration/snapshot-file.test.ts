import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SnapshotFile } from './snapshot-file.ts';
import type { SnapshotOrigin } from './snapshot-format.ts';

const origin: SnapshotOrigin = {
  store: 'etcd',
  prefix: '/apisix',
  hosts: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'],
};
const content = {
  revision: 42,
  savedAtMs: 1_795_000_000_000,
  entries: [
    { key: 'upstreams/1', value: '{"nodes":{"ü\\n":1}}\n"', createRevision: 7, modRevision: 41 },
    { key: 'ssls/1', value: '', createRevision: 8, modRevision: 8 },
  ],
};

describe('a snapshot', () => {
  test('comes back as it was written, and only its owner may read it', async () => {
    const path = await freshPath();
    const file = new SnapshotFile(path, origin);

    await file.write(content);

    expect(await file.read()).toEqual({ ...content, origin });
    expect(await file.header()).toEqual({ origin, revision: 42, savedAtMs: content.savedAtMs });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('takes the place of the one before, and of what a crash left beside it', async () => {
    const path = await freshPath();
    const file = new SnapshotFile(path, origin);
    await file.write(content);
    await writeFile(`${path}.${process.pid}.new`, 'half of a snap', { mode: 0o644 });
    await writeFile(`${path}.4711.new`, 'half of another');
    await utimes(`${path}.4711.new`, 1, 1);

    await file.write({ ...content, revision: 43, entries: [] });

    expect(await file.read()).toMatchObject({ revision: 43, entries: [] });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, '..'))).toEqual(['snapshot.jsonl']);
  });

  test('leaves alone what another process is writing', async () => {
    const path = await freshPath();
    const other = `${path}.4711.new`;
    const file = new SnapshotFile(path, origin);
    await file.write(content);
    await writeFile(other, 'half of a snap');

    await file.write({ ...content, revision: 43 });

    expect(await readFile(other, 'utf8')).toBe('half of a snap');
    expect(await file.read()).toMatchObject({ revision: 43 });
  });

  test('is of the same store when one host is the same', async () => {
    const path = await freshPath();
    await new SnapshotFile(path, origin).write(content);

    const later = new SnapshotFile(path, {
      ...origin,
      hosts: ['http://10.0.0.2:2379', 'http://10.0.0.3:2379'],
    });

    expect(await later.read()).toMatchObject({ revision: 42 });
  });

  test('that is not there is no error', async () => {
    const file = new SnapshotFile(await freshPath(), origin);

    expect([await file.header(), await file.read()]).toEqual([undefined, undefined]);
  });

  test('of 100 000 resources leaves others their turn while it is written', async () => {
    const value = JSON.stringify({
      nodes: { '10.0.0.1:8080': 1 },
      type: 'roundrobin',
      desc: 'x'.repeat(250),
    });
    const entries = Array.from({ length: 100_000 }, (_, index) => ({
      key: `upstreams/${index}`,
      value,
      createRevision: index + 2,
      modRevision: index + 2,
    }));
    const file = new SnapshotFile(await freshPath(), origin);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);

    await file.write({ ...content, entries });
    clearInterval(ticking);

    // In one piece there would be none.
    expect(turns).toBeGreaterThan(50);
    expect((await file.read())?.entries).toEqual(entries);
  });
});

describe('what cannot be used', () => {
  test('cut off at any place, it is reported and set aside', async () => {
    const path = await freshPath();
    const file = new SnapshotFile(path, origin);
    await file.write(content);
    const whole = await readFile(path);

    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      await expect(file.read()).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        message: expect.stringContaining(`is now ${path}.unusable`),
      });
    }

    expect(await readdir(join(path, '..'))).toEqual(['snapshot.jsonl.unusable']);
  });

  test('with any byte changed, it is never read', async () => {
    const path = await freshPath();
    const file = new SnapshotFile(path, origin);
    await file.write(content);
    const whole = await readFile(path);

    for (let index = 0; index < whole.length; index += 1) {
      const damaged = Buffer.from(whole);
      damaged[index] = (damaged[index] ?? 0) ^ 1;
      await writeFile(path, damaged);
      const outcome = await file.read().catch((error: unknown) => error);
      // The number of entries in the last line is for people; the checksum before it covers what is read.
      if (!(outcome instanceof Error)) expect(outcome).toEqual({ ...content, origin });
      else expect(outcome).toMatchObject({ code: expect.stringMatching(/^SNAPSHOT_(CORRUPT|FOREIGN)$/) });
    }
  });

  test.for([
    ['another file', 'deployment: {}\n', 'it does not begin like a snapshot'],
    ['a later format', '{"format":"apisix-ts snapshot","version":2}\n', 'its format is version 2'],
    ['half of a first line', '{"format":"apisix-ts snapshot","version":1}\n', 'its first line is damaged'],
  ] as const)('%s is told from its first line', async ([, text, reason]) => {
    const path = await freshPath();
    await writeFile(path, text);

    await expect(new SnapshotFile(path, origin).header()).rejects.toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
      message: expect.stringContaining(reason),
    });
  });

  test.for([
    ['another prefix', { prefix: '/other' }],
    ['another store', { store: 'consul' }],
    ['other hosts', { hosts: ['http://10.0.0.9:2379'] }],
  ] as const)('the snapshot of %s is set aside', async ([, difference]) => {
    const path = await freshPath();
    await new SnapshotFile(path, { ...origin, ...difference }).write(content);

    await expect(new SnapshotFile(path, origin).header()).rejects.toMatchObject({
      code: 'SNAPSHOT_FOREIGN',
      message: expect.stringContaining('and this gateway uses etcd at http://10.0.0.1:2379'),
    });

    expect(await readdir(join(path, '..'))).toEqual(['snapshot.jsonl.unusable']);
  });

  test('a folder in its place is told, for reading and for writing', async () => {
    const path = await freshPath();
    await mkdir(path);
    const file = new SnapshotFile(path, origin);

    await expect(file.read()).rejects.toMatchObject({ code: 'SNAPSHOT_UNREADABLE' });
    await expect(file.write(content)).rejects.toMatchObject({
      code: 'SNAPSHOT_UNWRITABLE',
      message: expect.stringContaining(path),
    });
    expect(await readdir(join(path, '..'))).toEqual(['snapshot.jsonl']);
  });
});

async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'snapshot-'));
  await chmod(folder, 0o700);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'snapshot.jsonl');
}
