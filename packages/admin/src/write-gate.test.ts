import { expect, test } from 'vitest';
import { createWriteGate } from './write-gate.ts';

test('shared work runs side by side', async () => {
  const gate = createWriteGate();
  const first = Promise.withResolvers<void>();

  const waiting = gate.shared(() => first.promise);
  await gate.shared(async () => {});

  first.resolve();
  await waiting;
});

test('lone work waits for what came before and holds up what comes after', async () => {
  const gate = createWriteGate();
  const events: string[] = [];
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];

  const all = [
    gate.shared(async () => {
      await first.promise;
      events.push('shared');
    }),
    gate.alone(async () => {
      events.push('alone begins');
      await second.promise;
      events.push('alone ends');
    }),
    gate.alone(async () => void events.push('alone again')),
    gate.shared(async () => void events.push('shared again')),
  ];
  first.resolve();
  await all[0];
  second.resolve();
  await Promise.all(all);

  expect(events).toEqual(['shared', 'alone begins', 'alone ends', 'alone again', 'shared again']);
});

test('work that fails tells its caller and stops nothing', async () => {
  const gate = createWriteGate();
  const fail = (): Promise<never> => Promise.reject(new Error('no'));

  const results = await Promise.allSettled([
    gate.shared(fail),
    gate.alone(fail),
    gate.shared(async () => 'done'),
  ]);

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  await expect(gate.alone(async () => 'done')).resolves.toBe('done');
});
