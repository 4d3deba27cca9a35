import { FakeClock } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { absent, needMore } from '../connection/head-parser.ts';
import type { HeadParser } from '../connection/head-parser.ts';
import { PeekBuffer } from '../connection/peek-buffer.ts';
import { TimerWheel } from '../pipe/timer-wheel.ts';
import { HandWire } from '../testing/hand-wire.ts';
import { PluginRun, logSession } from './plugin-run.ts';
import type { ChainedPlugin } from './plugin-run.ts';
import type { PluginHandlers, PluginPeekOutcome, PluginSession, PluginStep } from './stream-plugin.ts';

const session: PluginSession = {
  transport: 'tcp',
  remoteAddress: '192.0.2.1',
  routeId: '1',
  serviceId: undefined,
  variable: () => undefined,
  setVariable() {},
  useUpstream: () => false,
  onEnd() {},
};

interface Scene {
  readonly wire: HandWire;
  readonly clock: FakeClock;
  readonly buffer: PeekBuffer;
  /** What was told, in order. */
  readonly told: readonly string[];
  readonly run: PluginRun;
}

function scene(plugins: readonly ChainedPlugin[], isDatagram = false): Scene {
  const [wire, clock, told] = [new HandWire(), new FakeClock(), new Array<string>()];
  const wheel = new TimerWheel(clock);
  const buffer = new PeekBuffer(wire, wheel);
  const run = new PluginRun(plugins, session, isDatagram ? undefined : { wheel, buffer: () => buffer }, {
    onPassed: () => told.push('passed'),
    onRefused: (name, { refuse, reason }) => told.push(`${name}: ${refuse} ${reason}`),
    onClosed: (error) => told.push(`closed: ${error?.kind}`),
  });
  return { wire, clock, buffer, told, run };
}

function plugin(name: string, preread: NonNullable<PluginHandlers['preread']>): ChainedPlugin {
  return { name, handlers: { preread } };
}

/** Passes those on whose first two bytes are the same. */
const twins: HeadParser<number> = {
  push: (view) =>
    view.length < 2
      ? needMore
      : view[0] === view[1]
        ? { kind: 'parsed', value: 2, consumedBytes: 2 }
        : absent,
};

function twinsOrNot(seen: PluginPeekOutcome[] = []): ChainedPlugin {
  return plugin('twins', () => ({
    peek: {
      parser: twins,
      limitBytes: 16,
      timeoutMs: 1000,
      onOutcome(outcome): PluginStep {
        seen.push(outcome);
        return outcome.kind === 'parsed' ? undefined : { refuse: 400, reason: outcome.kind };
      },
    },
  }));
}

test('plugins look one after the other, and then the session goes on', () => {
  const seen: string[] = [];
  const { run, told } = scene([
    plugin('a', () => void seen.push('a')),
    { name: 'b', handlers: {} },
    plugin('c', () => void seen.push('c')),
  ]);

  run.start();

  expect(seen).toEqual(['a', 'c']);
  expect(told).toEqual(['passed']);
});

test('one that refuses is the last one', () => {
  const { run, told } = scene([
    plugin('a', () => ({ refuse: 403, reason: 'not this one' })),
    plugin('b', () => {
      throw new Error('not asked');
    }),
  ]);

  run.start();

  expect(told).toEqual(['a: 403 not this one']);
});

test('one that fails refuses', () => {
  const { run, told } = scene([
    plugin('a', () => {
      throw new Error('a defect');
    }),
  ]);

  run.start();

  expect(told).toEqual([expect.stringMatching(/^a: 500 it failed: Error: a defect/)]);
});

test('one that is not meant is passed over', () => {
  const { run, told } = scene([
    { ...plugin('a', () => ({ refuse: 403, reason: '' })), isMeant: () => false },
    { ...plugin('b', () => ({ refuse: 404, reason: '' })), isMeant: ({ routeId }) => routeId === '1' },
  ]);

  run.start();

  expect(told).toEqual(['b: 404 ']);
});

test('one may make the session wait', () => {
  const { run, told, clock } = scene([plugin('a', () => ({ pauseMs: 1000 }))]);

  run.start();
  clock.advance(999);
  expect(told).toEqual([]);
  clock.advance(201);

  expect(told).toEqual(['passed']);
});

test('a wait that is cancelled has no outcome', () => {
  const { run, told, clock } = scene([plugin('a', () => ({ pauseMs: 1000 }))]);

  run.start();
  run.cancel();
  clock.advance(5000);

  expect(told).toEqual([]);
});

test('what plugins read stays for the next one and for the upstream', () => {
  const { run, told, wire, buffer } = scene([twinsOrNot(), twinsOrNot()]);

  run.start();
  wire.arrive(Uint8Array.of(7, 7, 8));

  expect(told).toEqual(['passed']);
  expect(wire.isPaused).toBe(true);
  expect([...buffer.takeHead()]).toEqual([7, 7, 8]);
});

test.each([
  ['what is something else', (wire: HandWire) => wire.arrive(Uint8Array.of(7, 8)), 'twins: 400 absent'],
  ['an early end', (wire: HandWire) => wire.arrive(Uint8Array.of(7), 'end'), 'twins: 400 ended'],
  ['a loss', (wire: HandWire) => wire.break({ kind: 'failed', errno: 'EIO' }), 'closed: failed'],
])('tells of %s', (_, happen, outcome) => {
  const { run, told, wire } = scene([twinsOrNot()]);

  run.start();
  happen(wire);

  expect(told).toEqual([outcome]);
});

test('tells of a client that says nothing', () => {
  const { run, told, clock } = scene([twinsOrNot()]);

  run.start();
  clock.advance(1500);

  expect(told).toEqual(['twins: 400 timeout']);
});

test('a reading that is cancelled leaves the connection alone', () => {
  const { run, told, wire } = scene([twinsOrNot()]);

  run.start();
  run.cancel();
  wire.arrive(Uint8Array.of(7, 7));

  expect(told).toEqual([]);
  expect(wire.isPaused).toBe(true);
});

test('datagrams neither wait nor are read', () => {
  const seen: PluginPeekOutcome[] = [];
  const waiting = scene([plugin('a', () => ({ pauseMs: 1000 }))], true);
  const read = scene([twinsOrNot(seen)], true);

  waiting.run.start();
  read.run.start();

  expect(waiting.told).toEqual(['passed']);
  expect(seen).toEqual([{ kind: 'absent' }]);
  expect(read.told).toEqual(['twins: 400 absent']);
});

test('each plugin that is meant is told of the end, also after one that failed', () => {
  const told: string[] = [];
  const logger = (name: string, log: () => void): ChainedPlugin => ({ name, handlers: { log } });

  logSession(
    [
      logger('a', () => {
        throw new Error('full');
      }),
      { ...logger('b', () => told.push('b')), isMeant: () => false },
      logger('c', () => told.push('c')),
    ],
    session,
    (name, error) => told.push(`${name}: ${String(error)}`),
  );

  expect(told).toEqual(['a: Error: full', 'c']);
});
