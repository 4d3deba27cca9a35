import { fstatSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Services } from './service.ts';
import type { ServicePlan } from './service.ts';

/** A service that tells what becomes of it. */
function planAt(address: string, events: string[]): ServicePlan {
  return {
    key: address,
    address,
    open: async (inherited) => {
      events.push(`${address} on ${inherited ?? 'a socket of its own'}`);
      return {
        descriptor: inherited ?? 99,
        close: async () => void events.push(`${address} closed`),
        drain: async () => void events.push(`${address} drained`),
      };
    },
  };
}

test('services take the sockets of their addresses, and what none takes is closed', async () => {
  const events: string[] = [];
  const [taken, unwanted] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  const services = new Services(
    new Map([
      ['127.0.0.1:1', taken],
      ['127.0.0.1:3', unwanted],
    ]),
  );

  await services.become([planAt('127.0.0.1:1', events), planAt('127.0.0.1:2', events)]);
  services.closeUnwanted();

  expect(events).toEqual([`127.0.0.1:1 on ${taken}`, '127.0.0.1:2 on a socket of its own']);
  expect(fstatSync(taken).isCharacterDevice()).toBe(true);
  expect(() => fstatSync(unwanted)).toThrow('EBADF');
  expect([...services.sockets]).toEqual([
    ['127.0.0.1:1', taken],
    ['127.0.0.1:2', 99],
  ]);
});

test('an inherited socket is taken once: a service that is opened again has its own', async () => {
  const events: string[] = [];
  const services = new Services(new Map([['127.0.0.1:1', openSync('/dev/null', 'r')]]));
  await services.become([planAt('127.0.0.1:1', events)]);

  await services.become([]);
  await services.become([planAt('127.0.0.1:1', events)]);

  expect(events.at(-1)).toBe('127.0.0.1:1 on a socket of its own');
});

test('services that are drained are not closed again', async () => {
  const events: string[] = [];
  const services = new Services();
  await services.become([planAt('127.0.0.1:1', events)]);

  await services.drain();
  await services.close();

  expect(events.slice(1)).toEqual(['127.0.0.1:1 drained']);
});
