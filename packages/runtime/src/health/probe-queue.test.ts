import { expect, test } from 'vitest';
import { ProbeQueue, createLine } from './probe-queue.ts';
import type { ProbeLine, QueuedProbe } from './probe-queue.ts';

/** Probes that write down that they started. */
function openQueue(limit: number) {
  const started: string[] = [];
  const queue = new ProbeQueue(limit);
  const enter = (line: ProbeLine, name: string): QueuedProbe => {
    const probe = { start: () => void started.push(name) };
    queue.enter(line, probe);
    return probe;
  };
  return { queue, started, enter };
}

test('starts what comes first, up to the concurrency of its line', () => {
  const { queue, started, enter } = openQueue(10);
  const line = createLine(2);
  const [first] = ['a', 'b', 'c', 'd'].map((name) => enter(line, name));
  expect(started).toEqual(['a', 'b']);

  if (first !== undefined) queue.leave(line, first);

  expect(started).toEqual(['a', 'b', 'c']);
});

test('starts no more than the limit of all lines together', () => {
  const { started, enter } = openQueue(3);

  for (const name of ['a', 'b', 'c', 'd', 'e']) enter(createLine(5), name);

  expect(started).toEqual(['a', 'b', 'c']);
});

test('lets lines take turns, however long one is', () => {
  const { queue, started, enter } = openQueue(1);
  const long = createLine(9);
  const short = createLine(9);
  const probes = new Map([
    ...['a', 'b', 'c', 'd'].map((name) => [name, { line: long, probe: enter(long, name) }] as const),
    ...['x', 'y'].map((name) => [name, { line: short, probe: enter(short, name) }] as const),
  ]);

  for (let turn = 0; turn < 5; turn += 1) {
    const running = probes.get(started.at(-1) ?? '');
    if (running !== undefined) queue.leave(running.line, running.probe);
  }

  expect(started).toEqual(['a', 'b', 'x', 'c', 'y', 'd']);
});

test('a probe that leaves twice makes room once', () => {
  const { queue, started, enter } = openQueue(1);
  const line = createLine(1);
  const first = enter(line, 'a');
  enter(line, 'b');
  enter(line, 'c');

  queue.leave(line, first);
  queue.leave(line, first);

  expect(started).toEqual(['a', 'b']);
});

test('a probe that was withdrawn does not start', () => {
  const { queue, started, enter } = openQueue(1);
  const line = createLine(1);
  const first = enter(line, 'a');
  const second = enter(line, 'b');

  queue.withdraw(line, second);
  queue.leave(line, first);

  expect(started).toEqual(['a']);
});
