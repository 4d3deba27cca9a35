import { TimerWheel } from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { Losses } from './losses.ts';

test('the first losses are told at once, the others at most once a second', () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const losses = new Losses(new TimerWheel(clock), (entries, reason) => told.push(`${entries} ${reason}`));

  losses.add(2, 'a');
  losses.add(1, 'b');
  losses.add(3, 'c');
  expect(told).toEqual(['2 a']);

  clock.advance(1300);
  expect(told).toEqual(['2 a', '4 c']);

  losses.add(1, 'd');
  expect(told).toHaveLength(2);
  clock.advance(1300);
  expect(told).toEqual(['2 a', '4 c', '1 d']);

  clock.advance(5000);
  losses.add(1, 'e');
  expect(told).toEqual(['2 a', '4 c', '1 d', '1 e']);

  losses.add(7, 'f');
  losses.flush();
  losses.flush();
  expect(told.slice(4)).toEqual(['7 f']);
});
