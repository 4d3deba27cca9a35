import { describe, expect, test } from 'vitest';
import { LocalNodeLoad } from './local-node-load.ts';

/** A load and the clock it reads. */
function scene(): { load: LocalNodeLoad; pass: (ms: number) => void } {
  let now = 5000;
  return { load: new LocalNodeLoad({ nowMs: () => now }), pass: (ms) => (now += ms) };
}

describe('sessions', () => {
  test('count from the attempt to the end', () => {
    const { load } = scene();
    expect(load.active).toBe(0);

    load.begin();
    load.begin();
    load.connected(3);
    expect(load.active).toBe(2);

    load.end();
    expect(load.active).toBe(1);
  });
});

describe('the average time to connect', () => {
  test('is unknown before the first connection', () => {
    const { load } = scene();
    load.begin();

    expect(load.connectMs).toBeUndefined();
  });

  test('is the first measurement, then rises at once and falls with time', () => {
    const { load, pass } = scene();
    load.begin();
    load.connected(2);
    expect(load.connectMs).toBe(2);

    load.begin();
    load.connected(50);
    expect(load.connectMs).toBe(50);

    pass(10_000);
    load.begin();
    load.connected(10);
    expect(load.connectMs).toBeCloseTo(10 + 40 / Math.E);
  });

  test('is hardly changed by one fast connection right after a slow one', () => {
    const { load, pass } = scene();
    load.begin();
    load.connected(50);
    pass(10);
    load.begin();
    load.connected(1);

    expect(load.connectMs).toBeGreaterThan(49.9);
  });

  test('is discounted while nobody tries, and counts in full again when somebody does', () => {
    const { load, pass } = scene();
    load.begin();
    load.connected(100);

    pass(20_000);
    expect(load.connectMs).toBeCloseTo(100 / Math.E ** 2);

    load.begin();
    expect(load.connectMs).toBe(100);
  });

  test.for([
    [0.05, 1000],
    [60_000, 60_000],
  ] as const)('after an attempt that failed in %d ms is %d ms', ([tookMs, expected]) => {
    const { load } = scene();
    load.begin();
    load.failed(tookMs);

    expect(load.connectMs).toBe(expected);
  });

  test('does not depend on a clock that stepped back', () => {
    const { load, pass } = scene();
    load.begin();
    load.connected(100);
    pass(-1000);

    expect(load.connectMs).toBe(100);
  });
});

test('the clock is that of the process unless another is given', () => {
  const load = new LocalNodeLoad();
  load.begin();
  load.connected(5);

  expect(load.connectMs).toBeGreaterThan(4);
  expect(load.connectMs).toBeLessThanOrEqual(5);
});
