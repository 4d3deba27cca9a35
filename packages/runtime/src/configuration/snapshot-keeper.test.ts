import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@apisix-ts/config/contract';
import type { ManualClock } from '@apisix-ts/config/contract';
import { expect, onTestFinished, test } from 'vitest';
import { SnapshotFile } from './snapshot-file.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

test('changes are written together after a second, and then at most every five seconds', async () => {
  const { keeper, clock, change, kept } = await setUp();
  change(2);
  change(3);
  clock.advance(999);
  expect(keeper.status.revision).toBeUndefined();
  clock.advance(1);
  // The file is there a moment before the write has ended.
  await expect.poll(() => keeper.status.revision).toBe(3);
  expect(await kept()).toBe(3);

  change(4);
  clock.advance(4_999);
  change(5);
  expect(await kept()).toBe(3);
  clock.advance(1);
  await expect.poll(() => keeper.status.revision).toBe(5);

  expect(await kept()).toBe(5);
  expect(keeper.status.savedAtMs).toBe(clock.now());
});

test('what has changed last is written at the end, and nothing if nothing has', async () => {
  const { keeper, change, kept } = await setUp();
  change(2);

  await keeper.close();
  expect(await kept()).toBe(2);
  const { savedAtMs } = keeper.status;
  await keeper.close();

  expect(keeper.status.savedAtMs).toBe(savedAtMs);
});

test('a failure is told once and tried again, and its end is told', async () => {
  const { keeper, clock, change, kept, path, lines } = await setUp();
  await mkdir(path);

  change(2);
  clock.advance(1_000);
  await expect.poll(() => keeper.status.error).toMatchObject({ code: 'SNAPSHOT_UNWRITABLE' });
  clock.advance(5_000);
  await expect.poll(() => lines).toHaveLength(1);
  await rm(path, { recursive: true });
  await expect
    .poll(() => {
      clock.advance(5_000);
      return kept();
    })
    .toBe(2);

  await expect
    .poll(() => lines)
    .toEqual([
      'error the last configuration cannot be kept on disk, or what is there cannot be used SNAPSHOT_UNWRITABLE',
      'notice the snapshot is kept again',
    ]);
  expect(keeper.status.error).toBeUndefined();
});

test('what a former process left is known, and what cannot be used is told', async () => {
  const { keeper, change, path, again } = await setUp();
  change(7);
  await keeper.close();

  const next = again();
  await next.keeper.open();
  expect(next.keeper.status).toMatchObject({ revision: 7 });
  expect(await next.keeper.read()).toMatchObject({ revision: 7, entries: [{ key: 'upstreams/1' }] });

  await writeFile(path, 'damaged');
  const last = again();
  await last.keeper.open();
  expect(last.keeper.status).toEqual({ path });
  expect(await last.keeper.read()).toBeUndefined();
  expect(last.lines).toEqual([expect.stringContaining('SNAPSHOT_CORRUPT')]);
});

interface SetUp {
  readonly keeper: SnapshotKeeper;
  readonly clock: ManualClock;
  readonly path: string;
  readonly lines: readonly string[];
  readonly change: (revision: number) => void;
  /** The revision on disk. */
  readonly kept: () => Promise<number | undefined>;
  /** Another process in the same place. */
  readonly again: () => SetUp;
}

async function setUp(): Promise<SetUp> {
  const folder = await mkdtemp(join(tmpdir(), 'snapshot-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return open(join(folder, 'snapshot.jsonl'));
}

function open(path: string): SetUp {
  const file = new SnapshotFile(path, { store: 'etcd', prefix: '/apisix', hosts: ['http://127.0.0.1:2379'] });
  const clock = createManualClock();
  const lines: string[] = [];
  const entry = { key: 'upstreams/1', value: '{}', createRevision: 2, modRevision: 2 };
  let revision = 1;
  const keeper = new SnapshotKeeper({
    file,
    content: () => ({ revision, entries: [entry] }),
    log: (level, message, { code = '' } = {}) => lines.push(`${level} ${message} ${String(code)}`.trim()),
    clock,
  });
  onTestFinished(() => keeper.close());
  return {
    keeper,
    clock,
    path,
    lines,
    change(to) {
      revision = to;
      keeper.changed();
    },
    kept: async () => (await file.header())?.revision,
    again: () => open(path),
  };
}
