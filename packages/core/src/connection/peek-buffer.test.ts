import { FakeClock, someBytes, splitAtEach, splitBytes } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../pipe/timer-wheel.ts';
import type { WireError, WireHandler } from '../pipe/wire.ts';
import { HandWire } from '../testing/hand-wire.ts';
import { ProxyHeaderParser } from '../proxy-protocol/parse.ts';
import { absent, malformed, needMore } from './head-parser.ts';
import type { HeadAnswer, HeadParser } from './head-parser.ts';
import { PeekBuffer } from './peek-buffer.ts';
import type { PeekOptions, PeekOutcome } from './peek-buffer.ts';

/** Who has the wire before a peek and after it. */
class Listener implements WireHandler {
  readonly received: number[] = [];
  hasEnded = false;
  error: WireError | undefined;

  onData(view: Uint8Array): void {
    this.received.push(...view);
  }

  onEnd(): void {
    this.hasEnded = true;
  }

  onWritten(): void {}

  onClosed(error: WireError | undefined): void {
    this.error = error;
  }
}

/** Reads so many bytes as its value; a 0 among them is malformed, a 255 in front is something else. */
class CountParser implements HeadParser<string> {
  readonly #count: number;
  readonly #consume: number;
  readonly #bytes: number[] = [];

  constructor(count: number, consume = count) {
    this.#count = count;
    this.#consume = consume;
  }

  push(view: Uint8Array): HeadAnswer<string> {
    this.#bytes.push(...view);
    const bytes = this.#bytes.slice(0, this.#count);
    if (bytes[0] === 255) return absent;
    if (bytes.includes(0)) return malformed('a zero');
    if (bytes.length < this.#count) return needMore;
    return { kind: 'parsed', value: bytes.join(' '), consumedBytes: this.#consume };
  }
}

interface Scene {
  readonly wire: HandWire;
  readonly listener: Listener;
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  readonly buffer: PeekBuffer;
  /** Every outcome there was. */
  readonly outcomes: PeekOutcome<unknown>[];
  peek(parser: HeadParser<unknown>, options?: Partial<PeekOptions>): void;
}

function scene(): Scene {
  const wire = new HandWire();
  const listener = new Listener();
  wire.handler = listener;
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const buffer = new PeekBuffer(wire, wheel);
  const outcomes: PeekOutcome<unknown>[] = [];
  return {
    wire,
    listener,
    clock,
    wheel,
    buffer,
    outcomes,
    peek(parser, { limitBytes = 1000, timeoutMs = 5000 } = {}) {
      buffer.peek(parser, { limitBytes, timeoutMs }, (outcome) => outcomes.push(outcome));
    },
  };
}

/** The wire is as it was before the peek, and nothing waits for time. */
function expectFree({ wire, listener, wheel }: Scene): void {
  expect(wire.isPaused).toBe(true);
  expect(wire.handler).toBe(listener);
  expect(wheel.size).toBe(0);
}

describe('a peek', () => {
  test('hands on every byte once, however they were cut', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    for (const pieces of [[bytes], ...splitAtEach(bytes), [...splitBytes(bytes, 1)]]) {
      const each = scene();

      each.peek(new CountParser(5, 2));
      each.wire.arrive(...pieces, 'end');

      expect(each.outcomes).toEqual([{ kind: 'parsed', value: '1 2 3 4 5' }]);
      expectFree(each);
      expect(each.listener.received).toEqual([]);
      const head = [...each.buffer.takeHead()];
      each.wire.resume();
      expect([...head, ...each.listener.received]).toEqual([3, 4, 5, 6, 7, 8]);
      expect(each.listener.hasEnded).toBe(true);
    }
  });

  test('keeps bytes that are something else, or malformed, for the log or another use', () => {
    const other = scene();
    other.peek(new CountParser(3));
    other.wire.arrive(Uint8Array.of(255, 1));
    const broken = scene();
    broken.peek(new CountParser(3));
    broken.wire.arrive(Uint8Array.of(1), Uint8Array.of(0, 9));

    expect(other.outcomes).toEqual([{ kind: 'absent' }]);
    expect([...other.buffer.takeHead()]).toEqual([255, 1]);
    expectFree(other);
    expect(broken.outcomes).toEqual([{ kind: 'malformed', reason: 'a zero' }]);
    expect([...broken.buffer.takeHead()]).toEqual([1, 0, 9]);
    expectFree(broken);
  });

  test('gives its bytes away, and has none afterwards', () => {
    const each = scene();
    each.peek(new CountParser(1, 0));
    each.wire.arrive(Uint8Array.of(1, 2));

    expect(each.buffer.headBytes).toBe(2);
    expect([...each.buffer.takeHead()]).toEqual([1, 2]);
    expect(each.buffer.headBytes).toBe(0);
    expect([...each.buffer.takeHead()]).toEqual([]);
  });

  test('gives up at the limit, after the read that reached it', () => {
    const each = scene();
    each.peek(new CountParser(100), { limitBytes: 4 });

    each.wire.arrive(Uint8Array.of(1, 2, 3));
    expect(each.outcomes).toEqual([]);
    each.wire.arrive(Uint8Array.of(4));

    expect(each.outcomes).toEqual([{ kind: 'limit' }]);
    expect(each.buffer.headBytes).toBe(4);
    expectFree(each);
  });

  test('does not mind the limit when the read that reached it decides', () => {
    const each = scene();
    each.peek(new CountParser(2), { limitBytes: 4 });

    each.wire.arrive(someBytes(50).fill(7));

    expect(each.outcomes).toEqual([{ kind: 'parsed', value: '7 7' }]);
    expect(each.buffer.headBytes).toBe(48);
  });

  test('gives up in time, and a late byte stays on the wire', () => {
    const each = scene();
    each.peek(new CountParser(2), { timeoutMs: 1000 });
    each.wire.arrive(Uint8Array.of(1));

    each.clock.advance(999);
    expect(each.outcomes).toEqual([]);
    each.clock.advance(1 + 2 * each.wheel.tickMs);
    each.wire.arrive(Uint8Array.of(2));

    expect(each.outcomes).toEqual([{ kind: 'timeout' }]);
    expect([...each.buffer.takeHead()]).toEqual([1]);
    expectFree(each);
    each.wire.resume();
    expect(each.listener.received).toEqual([2]);
  });

  test('without a time-out waits for ever', () => {
    const each = scene();
    each.peek(new CountParser(2), { timeoutMs: 0 });

    each.clock.advance(1e9);

    expect(each.outcomes).toEqual([]);
    expect(each.wire.isPaused).toBe(false);
  });

  test('that the client ends early is told so, and remembers the end', () => {
    const each = scene();
    each.peek(new CountParser(3));
    each.wire.arrive(Uint8Array.of(1, 2), 'end');

    expect(each.outcomes).toEqual([{ kind: 'ended' }]);
    expect(each.buffer.hasEnded).toBe(true);
    expectFree(each);

    each.peek(new CountParser(2));
    each.peek(new CountParser(1));

    expect(each.outcomes.slice(1)).toEqual([{ kind: 'parsed', value: '1 2' }, { kind: 'ended' }]);
  });

  test('leaves an end behind the decision on the wire', () => {
    const each = scene();
    each.peek(new CountParser(1));
    each.wire.arrive(Uint8Array.of(1), 'end');

    expect(each.buffer.hasEnded).toBe(false);
    each.wire.resume();
    expect(each.listener.hasEnded).toBe(true);
  });

  test('of a connection that breaks is told how', () => {
    const error = { kind: 'reset', errno: 'ECONNRESET' } as const;
    const each = scene();
    each.peek(new CountParser(1));

    each.wire.break(error);

    expect(each.outcomes).toEqual([{ kind: 'closed', error }]);
    expect(each.listener.error).toBeUndefined();
    expect(each.wheel.size).toBe(0);
  });

  test('that is cancelled says nothing and frees the wire with what was read', () => {
    const each = scene();
    each.peek(new CountParser(2));
    each.wire.arrive(Uint8Array.of(1));

    each.buffer.cancel();
    each.buffer.cancel();
    each.wire.arrive(Uint8Array.of(2));
    each.clock.advance(1e6);

    expect(each.outcomes).toEqual([]);
    expect(each.buffer.headBytes).toBe(1);
    expectFree(each);
  });

  test('is one at a time', () => {
    const each = scene();
    each.peek(new CountParser(1));

    expect(() => each.peek(new CountParser(1))).toThrow(TypeError);
  });
});

describe('parsers in a row', () => {
  test('each get what the one before left, without the wire where that decides', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    for (const pieces of [[bytes], ...splitAtEach(bytes), [...splitBytes(bytes, 1)]]) {
      const each = scene();
      each.wire.arrive(...pieces, 'end');

      each.peek(new CountParser(2));
      each.peek(new CountParser(3, 0));
      each.peek(new CountParser(1));

      expect(each.outcomes).toEqual([
        { kind: 'parsed', value: '1 2' },
        { kind: 'parsed', value: '3 4 5' },
        { kind: 'parsed', value: '3' },
      ]);
      const head = [...each.buffer.takeHead()];
      each.wire.resume();
      expect([...head, ...each.listener.received]).toEqual([4, 5, 6]);
      expect(each.listener.hasEnded).toBe(true);
    }
  });

  test('may be started by the outcome before', () => {
    const { wire, buffer } = scene();
    const found: unknown[] = [];
    const options = { limitBytes: 100, timeoutMs: 1000 };
    buffer.peek(new CountParser(1), options, (first) => {
      found.push(first);
      buffer.peek(new CountParser(2), options, (second) => found.push(second));
    });

    wire.arrive(Uint8Array.of(1));
    wire.arrive(Uint8Array.of(2), Uint8Array.of(3));

    expect(found).toEqual([
      { kind: 'parsed', value: '1' },
      { kind: 'parsed', value: '2 3' },
    ]);
  });

  test('have a limit each', () => {
    const each = scene();
    each.wire.arrive(Uint8Array.of(1, 2, 3, 4));

    each.peek(new CountParser(3), { limitBytes: 3 });
    each.peek(new CountParser(3), { limitBytes: 3 });
    each.wire.arrive(Uint8Array.of(5), Uint8Array.of(6));

    expect(each.outcomes).toEqual([
      { kind: 'parsed', value: '1 2 3' },
      { kind: 'parsed', value: '4 5 6' },
    ]);
  });
});

test('any cuts and parsers together neither lose nor double a byte', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  const counts = fc.array(fc.record({ count: fc.integer({ min: 1, max: 60 }), consume: fc.nat(60) }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(sizes, counts, (pieceSizes, parsers) => {
      const bytes = Uint8Array.from({ length: 200 }, (_, index) => index + 1);
      const each = scene();
      each.wire.arrive(...splitBytes(bytes, ...pieceSizes), 'end');

      let consumed = 0;
      for (const { count, consume } of parsers) {
        each.peek(new CountParser(count, Math.min(count, consume)));
        // One that wants more than there is sees the end, and uses nothing up.
        if (consumed + count <= bytes.length) consumed += Math.min(count, consume);
      }

      const expected = [...bytes.subarray(consumed)];
      const head = [...each.buffer.takeHead()];
      if (!each.buffer.hasEnded) each.wire.resume();
      expect([...head, ...each.listener.received]).toEqual(expected);
    }),
  );
});

test('a PROXY header goes, and what follows it stays', () => {
  const each = scene();
  const bytes = Buffer.from('PROXY TCP4 192.0.2.9 192.0.2.2 5 6\r\nhello');

  each.peek(new ProxyHeaderParser());
  each.wire.arrive(...splitBytes(bytes, 7));

  expect(each.outcomes).toMatchObject([
    { kind: 'parsed', value: { addresses: { source: { address: '192.0.2.9' } } } },
  ]);
  const head = Buffer.from(each.buffer.takeHead());
  each.wire.resume();
  expect(`${head.toString()}${Buffer.from(each.listener.received).toString()}`).toBe('hello');
});
