import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

test('goes on while its slice is not over', () => {
  const pace = createPace({ sliceMs: Number.POSITIVE_INFINITY, pauseMs: 1 });

  expect([pace(), pace()]).toEqual([undefined, undefined]);
});

test('others have a turn after each slice', async () => {
  const pace = createPace({ sliceMs: 0 });
  let turns = 0;

  for (const expected of [1, 2, 3]) {
    setImmediate(() => (turns += 1));
    await pace();
    expect(turns).toBe(expected);
  }
});

test('the thread sleeps after each slice where a pause is asked for', async () => {
  const pace = createPace({ sliceMs: 0, pauseMs: 3 });
  let pauses = 0;

  for (const expected of [1, 2, 3]) {
    setTimeout(() => (pauses += 1), 3);
    await pace();
    expect(pauses).toBe(expected);
  }
});

test('work that has taken long goes on without pauses', async () => {
  const pace = createPace({ sliceMs: 0, pauseMs: 2 ** 30, patienceMs: 0 });

  await expect(pace()).resolves.toBeUndefined();
});
