import { describe, expect, test } from 'vitest';
import { FailureLog } from './failure-log.ts';
import type { SessionFailure } from './failure-log.ts';

function setUp(): { log: FailureLog; lines: [string, unknown][]; pass: (ms: number) => void } {
  let nowMs = 0;
  const lines: [string, unknown][] = [];
  const log = new FailureLog(
    (level, _message, fields) => lines.push([level, fields?.['also_failed']]),
    () => nowMs,
  );
  return { log, lines, pass: (ms) => (nowMs += ms) };
}

const refused: SessionFailure = { reason: 'UPSTREAM_CONNECT_REFUSED', listener: ':9100', route: '1' };

describe('failures of one kind', () => {
  test('are logged once a second, with the number of those in between', () => {
    const { log, lines, pass } = setUp();

    for (let count = 0; count < 5; count++) log.add(refused);
    pass(999);
    log.add(refused);
    pass(1);
    log.add(refused);

    expect(lines).toEqual([
      ['error', undefined],
      ['error', 5],
    ]);
  });

  test('do not hide those of another route, node, listener or reason', () => {
    const { log, lines } = setUp();

    log.add(refused);
    log.add({ ...refused, route: '2' });
    log.add({ ...refused, node: '192.0.2.1:1' });
    log.add({ ...refused, listener: ':9101' });
    log.add({ ...refused, reason: 'UPSTREAM_RESET' });

    expect(lines).toHaveLength(5);
  });

  test('that clients cause, or nobody, are informational', () => {
    const { log, lines } = setUp();

    log.add({ ...refused, reason: 'DOWNSTREAM_RESET' });
    log.add({ ...refused, reason: 'ROUTE_NOT_FOUND' });

    expect(lines.map(([level]) => level)).toEqual(['info', 'info']);
  });
});

test('many kinds do not take memory without end', () => {
  const { log, lines } = setUp();

  for (let route = 0; route < 1001; route++) log.add({ ...refused, route: String(route) });
  log.add({ ...refused, route: '0' });

  // The first one was forgotten for the last, so it is logged as new.
  expect(lines).toHaveLength(1002);
});
