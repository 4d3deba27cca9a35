import { TimerWheel } from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { Batches } from './batches.ts';
import type { BatchOptions, BatchSender } from './batches.ts';

interface Attempt {
  readonly entries: readonly string[];
  readonly accept: () => void;
  readonly refuse: (message: string) => void;
}

/** A sender whose attempts end as the test says. */
class HandSender implements BatchSender {
  closed = 0;
  readonly #attempts: Attempt[] = [];
  readonly #takers: ((attempt: Attempt) => void)[] = [];
  #giveUp: (() => void) | undefined;

  /** Attempts that the test did not look at. */
  get untaken(): number {
    return this.#attempts.length;
  }

  send(entries: readonly string[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#giveUp = () => reject(new Error('given up'));
    const attempt = { entries, accept: resolve, refuse: (message: string) => reject(new Error(message)) };
    const taker = this.#takers.shift();
    if (taker === undefined) this.#attempts.push(attempt);
    else taker(attempt);
    return promise;
  }

  /** The next attempt. */
  next(): Promise<Attempt> {
    return new Promise((resolve) => {
      const attempt = this.#attempts.shift();
      if (attempt === undefined) this.#takers.push(resolve);
      else resolve(attempt);
    });
  }

  close(): void {
    this.closed += 1;
    this.#giveUp?.();
  }
}

interface Scene {
  readonly clock: FakeClock;
  readonly sender: HandSender;
  readonly lost: readonly string[];
  readonly batches: Batches;
  readonly add: (...entries: string[]) => void;
  /** The next attempt, which takes the entries. */
  readonly taken: () => Promise<readonly string[]>;
}

function scene(options: Partial<BatchOptions> = {}): Scene {
  const [clock, sender, lost] = [new FakeClock(), new HandSender(), new Array<string>()];
  const batches = new Batches(
    {
      maxEntries: 3,
      maxBytes: 1000,
      maxAgeMs: 60_000,
      maxSilenceMs: 5000,
      pendingEntries: 100,
      pendingBytes: 10_000,
      retries: 0,
      retryDelayMs: 1000,
      ...options,
    },
    sender,
    new TimerWheel(clock),
    (entries, reason) => lost.push(`${entries}: ${reason}`),
  );
  return {
    clock,
    sender,
    lost,
    batches,
    add: (...entries) => {
      for (const entry of entries) batches.add(entry);
    },
    async taken() {
      const { entries, accept } = await sender.next();
      accept();
      return entries;
    },
  };
}

describe('a batch goes out', () => {
  test('when it has enough entries', async () => {
    const { add, taken } = scene();

    add('a', 'b', 'c');

    expect(await taken()).toEqual(['a', 'b', 'c']);
  });

  test('when it has enough bytes', async () => {
    const { add, taken, sender } = scene({ maxBytes: 4 });

    add('ab');
    expect(sender.untaken).toBe(0);
    add('é');

    expect(await taken()).toEqual(['ab', 'é']);
  });

  test('when no other entry came for a while', async () => {
    const { add, taken, clock, sender } = scene();

    add('a');
    clock.advance(4000);
    add('b');
    clock.advance(4900);
    expect(sender.untaken).toBe(0);
    clock.advance(400);

    expect(await taken()).toEqual(['a', 'b']);
  });

  test('when its first entry is old, though others came', async () => {
    const { add, taken, clock, sender } = scene({ maxEntries: 100, maxAgeMs: 10_000 });

    for (let second = 0; second < 10; second += 1) {
      add(String(second));
      clock.advance(1000);
    }
    expect(sender.untaken).toBe(0);
    clock.advance(400);

    expect(await taken()).toHaveLength(10);
  });

  test('after the one before, in order, with all that came meanwhile', async () => {
    const { add, sender, taken } = scene();
    add('a', 'b', 'c');
    const { accept } = await sender.next();

    add('d', 'e', 'f', 'g');
    expect(sender.untaken).toBe(0);
    accept();

    expect(await taken()).toEqual(['d', 'e', 'f']);
    expect(sender.untaken).toBe(0);
  });

  test('at its time, also of entries that came while another one was sent', async () => {
    const { add, sender, clock, taken } = scene();
    add('a', 'b', 'c');
    const { accept } = await sender.next();
    add('d');
    clock.advance(20_000);
    expect(sender.untaken).toBe(0);

    accept();
    await turn();
    clock.advance(400);

    expect(await taken()).toEqual(['d']);
  });
});

describe('a batch that does not go out', () => {
  test('is tried again as often as it may', async () => {
    const { add, sender, clock, lost } = scene({ retries: 1 });
    add('a', 'b', 'c');
    (await sender.next()).refuse('first');
    await turn();

    clock.advance(900);
    expect(sender.untaken).toBe(0);
    clock.advance(400);
    const { entries, refuse } = await sender.next();
    refuse('second');
    await turn();

    expect(entries).toEqual(['a', 'b', 'c']);
    expect(lost).toEqual(['3: second']);
  });

  test('is lost, and the next one is sent', async () => {
    const { add, sender, taken, lost } = scene();
    add('a', 'b', 'c', 'd', 'e', 'f');
    (await sender.next()).refuse('no');

    expect(await taken()).toEqual(['d', 'e', 'f']);
    expect(lost).toEqual(['3: no']);
  });
});

describe('an entry is lost', () => {
  test('when too many wait, those that are being sent included', async () => {
    const { add, sender, lost, taken } = scene({ pendingEntries: 4 });
    add('a', 'b', 'c');
    const { accept } = await sender.next();

    add('d', 'e', 'f');
    expect(lost).toEqual(Array.from({ length: 2 }, () => '1: expected at most 4 entries to wait'));
    accept();
    await turn();
    add('g', 'h');

    expect(await taken()).toEqual(['d', 'g', 'h']);
  });

  test('when too many bytes wait', async () => {
    const { add, sender, lost } = scene({ pendingBytes: 4 });
    add('a', 'b', 'c');
    await sender.next();

    add('éé', 'd', 'e');

    expect(lost).toEqual(Array.from({ length: 2 }, () => '1: expected at most 4 bytes to wait'));
  });
});

describe('at the end', () => {
  test('what waits is sent, however much it is', async () => {
    const { batches, add, taken, sender, lost } = scene({ maxEntries: 2 });
    add('a', 'b', 'c');
    await taken();

    const closed = batches.close(60_000);
    expect(await taken()).toEqual(['c']);
    await closed;

    expect(sender.closed).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  });

  test('nobody waits for longer than that', async () => {
    const { batches, add, sender, lost } = scene();
    add('a', 'b', 'c', 'd');
    await sender.next();

    await batches.close(1);

    expect(lost).toEqual(['1: expected to send all within 1 ms', '3: given up']);
  });

  test('a pause ends, and the attempt after it is the last one', async () => {
    const { batches, add, sender, lost } = scene({ retries: 9 });
    add('a', 'b', 'c');
    (await sender.next()).refuse('first');
    await turn();

    const closed = batches.close(60_000);
    (await sender.next()).refuse('second');
    await closed;

    expect(lost).toEqual(['3: second']);
  });

  test('without entries nothing is sent', async () => {
    const { batches, sender } = scene();

    await batches.close(60_000);

    expect(sender.untaken).toBe(0);
  });

  test('what is added later goes out at once, and leaves nothing open', async () => {
    const { batches, add, sender, taken } = scene();
    await batches.close(60_000);
    const before = sender.closed;

    add('late');

    expect(await taken()).toEqual(['late']);
    await turn();
    expect(sender.closed).toBeGreaterThan(before);
  });
});

test('the wheel stands still when nothing waits', async () => {
  const { add, taken, clock } = scene();
  add('a', 'b', 'c');
  await taken();
  await turn();

  expect(clock.running).toBe(0);
});

/** Lets promises that are settled go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
