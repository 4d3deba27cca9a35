import type { DocumentChange } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import { FactCompiler } from './facts/compiler.ts';
import type { NameSource } from './facts/name-users.ts';
import { Publisher } from './publisher.ts';
import { SharedProgress, WorkerProgress } from './shared-progress.ts';
import type { WorkerLink } from './workers/worker-link.ts';
import { unreadSecrets } from './facts/secret-users.ts';

interface Received {
  readonly revision: number;
  readonly keys: readonly string[];
  readonly isLastPart: boolean;
}

interface FakeWorker {
  readonly link: WorkerLink;
  readonly received: readonly Received[];
  /** For each time that somebody waits for it to have taken what it was sent: call it, and it has. */
  readonly settle: (() => void)[];
  /** Takes all that it was sent. */
  readonly takeAll: () => void;
}

/** A worker that only remembers what it was sent. */
function createWorker(index: number, progress = new SharedProgress(2)): FakeWorker {
  const received: Received[] = [];
  const settle: (() => void)[] = [];
  const ownProgress = new WorkerProgress(progress.shared, index);
  const refuse = (): Promise<never> => Promise.reject(new TypeError('not part of this test'));
  const link: WorkerLink = {
    index,
    apply(revision, changes, isLastPart) {
      received.push({ revision, keys: changes.map(({ key }) => key), isLastPart });
    },
    settled: () => new Promise((resolve) => settle.push(resolve)),
    setTicketKeys() {},
    setDrains() {},
    closeSessionsOf() {},
    ask: refuse,
    listen: refuse,
    handOver: refuse,
    drain: refuse,
    stop: refuse,
  };
  return {
    link,
    received,
    settle,
    takeAll() {
      const whole = received.findLast(({ isLastPart }) => isLastPart);
      if (whole !== undefined) ownProgress.set(whole.revision);
      for (const taken of settle.splice(0)) taken();
    },
  };
}

const noNames: NameSource = { follow: () => Promise.resolve(), unfollow() {}, addressesOf: () => [] };

function upstreamChange(id: string, host = '192.0.2.1'): DocumentChange {
  return {
    kind: 'upstreams',
    id,
    document: { type: 'roundrobin', nodes: [{ host, port: 1, weight: 1 }] },
  };
}

function setUp(names = noNames): {
  publisher: Publisher;
  progress: SharedProgress;
  publish: (revision: number, ...changes: DocumentChange[]) => void;
} {
  const progress = new SharedProgress(2);
  const publisher = new Publisher(
    new FactCompiler({
      names: { hosts: names },
      onLateName: () => {},
      secrets: unreadSecrets,
      slots: { slotOf: () => 0, release() {} },
      health: { follow() {}, unfollow() {} },
      certificates: { set() {}, delete() {} },
      keyring: [],
      plugins: new Map(),
      log: () => {},
    }),
    progress,
    () => {},
  );
  return {
    publisher,
    progress,
    publish: (revision, ...changes) => publisher.publish({ revision, changes, rejections: [] }),
  };
}

test('a worker is current when it has taken all that there was when it came', async () => {
  const { publisher } = setUp();
  const { link, received, settle, takeAll } = createWorker(0);
  let isCurrent = false;
  publisher.add(
    link,
    Array.from({ length: 4001 }, (_, index) => upstreamChange(String(index))),
  );
  const current = publisher.whenCurrent(0).then(() => (isCurrent = true));

  while (received.length < 3) {
    settle.shift()?.();
    await Promise.resolve();
  }
  expect(received.at(-1)?.isLastPart).toBe(true);
  expect(isCurrent).toBe(false);

  takeAll();
  await current;
});

test('nobody waits for a worker that is gone', async () => {
  const { publisher } = setUp();
  publisher.add(createWorker(0).link, []);
  const current = publisher.whenCurrent(0);

  publisher.remove(0);

  await current;
});

describe('a change', () => {
  test('goes to every worker at once, in order', () => {
    const { publisher, publish } = setUp();
    const [a, b] = [createWorker(0), createWorker(1)];
    publisher.add(a.link, []);
    publisher.add(b.link, []);

    publish(5, upstreamChange('x'));
    publish(6, upstreamChange('y'));

    for (const { received } of [a, b]) {
      expect(received.slice(1).map(({ keys }) => keys)).toEqual([['upstreams/x'], ['upstreams/y']]);
    }
  });

  test('that is large goes in parts, and the last one says so', async () => {
    const { publisher, publish } = setUp();
    const { link, received, takeAll } = createWorker(0);
    publisher.add(link, []);

    publish(5, ...Array.from({ length: 4001 }, (_, index) => upstreamChange(String(index))));
    while (received.length < 4) {
      takeAll();
      await Promise.resolve();
    }

    expect(received.slice(1).map(({ keys, isLastPart }) => [keys.length, isLastPart])).toEqual([
      [2000, false],
      [2000, false],
      [1, true],
    ]);
  });

  test('that is large waits for the slowest worker, two parts ahead of it, and later changes wait for it', async () => {
    const { publisher, publish } = setUp();
    const [slow, fast] = [createWorker(0), createWorker(1)];
    publisher.add(slow.link, []);
    publisher.add(fast.link, []);
    slow.takeAll();

    publish(5, ...Array.from({ length: 8000 }, (_, index) => upstreamChange(String(index))));
    publish(6, upstreamChange('later'));
    const sizes = [];
    while (fast.received.length < 6) {
      sizes.push(fast.received.length - 1);
      fast.takeAll();
      slow.settle.shift()?.();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }

    expect(sizes).toEqual([2, 3]);
    expect(slow.received.map(({ keys }) => keys.length)).toEqual([0, 2000, 2000, 2000, 2000, 1]);
    expect(slow.received.at(-1)?.keys).toEqual(['upstreams/later']);
  });

  test('with a new name waits for its first answer, and so do those after it', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    const { publisher, progress, publish } = setUp({ ...noNames, follow: () => answer });
    const { link, received, takeAll } = createWorker(0, progress);
    publisher.add(link, []);

    publish(5, upstreamChange('named', 'mysql'));
    publish(6, upstreamChange('plain'));
    expect(received).toHaveLength(1);
    const applied = publisher.whenApplied(6);
    resolve();
    while (received.length < 3) await Promise.resolve();

    expect(received.slice(1).map(({ keys }) => keys)).toEqual([['upstreams/named'], ['upstreams/plain']]);
    takeAll();
    await applied;
  });
});

describe('a revision', () => {
  test('is applied when every worker has it in effect, or a later one', async () => {
    const { publisher, progress, publish } = setUp();
    const [a, b] = [createWorker(0, progress), createWorker(1, progress)];
    publisher.add(a.link, []);
    publisher.add(b.link, []);
    publish(5, upstreamChange('x'));
    publish(6, upstreamChange('y'));
    let isApplied = false;
    const applied = publisher.whenApplied(5).then(() => (isApplied = true));

    a.takeAll();
    expect(publisher.revisions).toEqual(
      new Map([
        [0, 6],
        [1, 0],
      ]),
    );
    await Promise.resolve();
    expect(isApplied).toBe(false);
    b.takeAll();

    await applied;
  });

  test('that nobody waits for is in effect without a word of the workers', async () => {
    const { publisher, progress, publish } = setUp();
    const worker = createWorker(0, progress);
    publisher.add(worker.link, []);
    worker.takeAll();
    await publisher.whenCurrent(0);

    publish(5, upstreamChange('x'));
    const asked = worker.settle.length;
    expect(publisher.appliedAtMs).toBeUndefined();
    const beforeMs = Date.now();
    worker.takeAll();

    expect(asked).toBe(0);
    expect(publisher.revisions).toEqual(new Map([[0, 5]]));
    expect(publisher.appliedAtMs).toBeGreaterThanOrEqual(beforeMs);
  });

  test('that is waited for before it is published is asked after once it is', async () => {
    const { publisher, progress, publish } = setUp();
    const worker = createWorker(0, progress);
    publisher.add(worker.link, []);
    const applied = publisher.whenApplied(5);
    worker.takeAll();

    publish(5, upstreamChange('x'));
    worker.takeAll();

    await applied;
  });

  test('counts for the worker that has it, not for the one that comes in its place', async () => {
    const { publisher, progress, publish } = setUp();
    const first = createWorker(0, progress);
    publisher.add(first.link, []);
    publish(5, upstreamChange('x'));
    first.takeAll();
    publisher.remove(0);

    const second = createWorker(0, progress);
    publisher.add(second.link, [upstreamChange('x')]);
    const appliedAtMs = publisher.appliedAtMs;
    expect(publisher.revisions).toEqual(new Map([[0, 0]]));
    second.takeAll();

    expect(publisher.revisions).toEqual(new Map([[0, 5]]));
    expect(publisher.appliedAtMs).toBe(appliedAtMs);
  });

  test('is no longer waited for when the wait is aborted', async () => {
    const { publisher } = setUp();
    const aborting = new AbortController();
    const applied = publisher.whenApplied(5, aborting.signal);

    aborting.abort(new Error('enough'));

    await expect(applied).rejects.toThrow('enough');
  });
});

test('a worker that comes later gets all there is', () => {
  const { publisher, progress, publish } = setUp();
  publish(5, upstreamChange('x'));
  const { link, received, takeAll } = createWorker(0, progress);

  publisher.add(link, [upstreamChange('x')]);
  takeAll();

  expect(received).toMatchObject([{ keys: ['upstreams/x'], isLastPart: true }]);
  expect(publisher.revisions).toEqual(new Map([[0, 5]]));
});
