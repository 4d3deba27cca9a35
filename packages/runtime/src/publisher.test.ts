import type { DocumentChange } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import { FactCompiler } from './facts/compiler.ts';
import type { NameSource } from './facts/name-users.ts';
import { Publisher } from './publisher.ts';
import type { WorkerLink } from './workers/worker-link.ts';
import { unreadSecrets } from './facts/secret-users.ts';

interface Received {
  readonly sequence: number;
  readonly keys: readonly string[];
  readonly isLastPart: boolean;
}

/** The main thread's end of a worker that only remembers what it was sent. */
function createLink(
  index: number,
  taken: () => Promise<void> = () => Promise.resolve(),
): { link: WorkerLink; received: Received[] } {
  const received: Received[] = [];
  const refuse = (): Promise<never> => Promise.reject(new TypeError('not part of this test'));
  const link: WorkerLink = {
    index,
    apply(sequence, changes, isLastPart) {
      received.push({ sequence, keys: changes.map(({ key }) => key), isLastPart });
      return taken();
    },
    setTicketKeys() {},
    setDrains() {},
    closeSessionsOf() {},
    ask: refuse,
    listen: refuse,
    handOver: refuse,
    drain: refuse,
    stop: refuse,
  };
  return { link, received };
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
  publish: (revision: number, ...changes: DocumentChange[]) => void;
} {
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
    () => {},
  );
  return {
    publisher,
    publish: (revision, ...changes) => publisher.publish({ revision, changes, rejections: [] }),
  };
}

test('a worker is current when it has acknowledged all that there was when it came', async () => {
  const { publisher } = setUp();
  const { link, received } = createLink(0);
  let isCurrent = false;
  publisher.add(
    link,
    Array.from({ length: 4001 }, (_, index) => upstreamChange(String(index))),
  );
  const current = publisher.whenCurrent(0).then(() => (isCurrent = true));

  await expect.poll(() => received.at(-1)?.isLastPart).toBe(true);
  expect(isCurrent).toBe(false);

  publisher.acknowledge(0, received.at(-1)?.sequence ?? 0);
  await current;
});

test('nobody waits for a worker that is gone', async () => {
  const { publisher } = setUp();
  publisher.add(createLink(0).link, []);
  const current = publisher.whenCurrent(0);

  publisher.remove(0);

  await current;
});

describe('a change', () => {
  test('goes to every worker at once, in order', () => {
    const { publisher, publish } = setUp();
    const [a, b] = [createLink(0), createLink(1)];
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
    const { link, received } = createLink(0);
    publisher.add(link, []);

    publish(5, ...Array.from({ length: 4001 }, (_, index) => upstreamChange(String(index))));
    while (received.length < 4) await Promise.resolve();

    expect(received.slice(1).map(({ keys, isLastPart }) => [keys.length, isLastPart])).toEqual([
      [2000, false],
      [2000, false],
      [1, true],
    ]);
  });

  test('that is large waits for the slowest worker, two parts ahead of it, and later changes wait for it', async () => {
    const { publisher, publish } = setUp();
    const takers: (() => void)[] = [];
    const slow = createLink(0, () => new Promise((resolve) => takers.push(resolve)));
    const fast = createLink(1);
    publisher.add(slow.link, []);
    publisher.add(fast.link, []);

    publish(5, ...Array.from({ length: 8000 }, (_, index) => upstreamChange(String(index))));
    publish(6, upstreamChange('later'));
    const sizes = [];
    while (fast.received.length < 6) {
      sizes.push(fast.received.length - 1);
      for (const taken of takers.splice(0, 1)) taken();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }

    // Its empty first load, then part by part.
    expect(sizes).toEqual([2, 2, 3]);
    expect(slow.received.map(({ keys }) => keys.length)).toEqual([0, 2000, 2000, 2000, 2000, 1]);
    expect(slow.received.at(-1)?.keys).toEqual(['upstreams/later']);
  });

  test('with a new name waits for its first answer, and so do those after it', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    const { publisher, publish } = setUp({ ...noNames, follow: () => answer });
    const { link, received } = createLink(0);
    publisher.add(link, []);

    publish(5, upstreamChange('named', 'mysql'));
    publish(6, upstreamChange('plain'));
    expect(received).toHaveLength(1);
    const applied = publisher.whenApplied(6);
    resolve();
    while (received.length < 3) await Promise.resolve();

    expect(received.slice(1).map(({ keys }) => keys)).toEqual([['upstreams/named'], ['upstreams/plain']]);
    for (const { sequence } of received) publisher.acknowledge(0, sequence);
    await applied;
  });
});

describe('a revision', () => {
  test('is applied when every worker has acknowledged it, or a later one', async () => {
    const { publisher, publish } = setUp();
    const [a, b] = [createLink(0), createLink(1)];
    publisher.add(a.link, []);
    publisher.add(b.link, []);
    publish(5, upstreamChange('x'));
    publish(6, upstreamChange('y'));
    let isApplied = false;
    const applied = publisher.whenApplied(5).then(() => (isApplied = true));

    publisher.acknowledge(0, a.received.at(-1)?.sequence ?? 0);
    expect(publisher.revisions).toEqual(
      new Map([
        [0, 6],
        [1, 0],
      ]),
    );
    await Promise.resolve();
    expect(isApplied).toBe(false);
    publisher.acknowledge(1, b.received.at(-1)?.sequence ?? 0);

    await applied;
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
  const { publisher, publish } = setUp();
  publish(5, upstreamChange('x'));
  const { link, received } = createLink(0);

  publisher.add(link, [upstreamChange('x')]);
  publisher.acknowledge(0, received.at(-1)?.sequence ?? 0);

  expect(received).toMatchObject([{ keys: ['upstreams/x'], isLastPart: true }]);
  expect(publisher.revisions).toEqual(new Map([[0, 5]]));
});
