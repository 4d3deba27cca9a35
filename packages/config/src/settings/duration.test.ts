import { isGatewayError } from '@apisix-ts/errors';
import { expect, test } from 'vitest';
import { parseDurationMs } from './duration.ts';

test.for([
  [0, 0],
  [1.5, 1500],
  ['0', 0],
  ['90', 90_000],
  ['240s', 240_000],
  ['500ms', 500],
  ['1h 30m', 5_400_000],
  ['1h30m', 5_400_000],
  ['1m 5', 65_000],
  ['1y1M1w1d1h1m1s1ms', 31_536_000_000 + 2_592_000_000 + 604_800_000 + 86_400_000 + 3_661_001],
] as const)('%s is %d ms', ([text, ms]) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.for([
  ['', 'invalid data: '],
  ['s', 'invalid data: s'],
  ['5x', 'invalid data: x'],
  ['1.5s', 'invalid data: .'],
  ['-5s', 'invalid data: -'],
  ['5 5', 'invalid data: 5'],
  [-5, 'invalid data: -5'],
  ['5s 1m', 'unexpected unit: m'],
  ['5m 5m', 'unexpected unit: m'],
  ['5s 5', 'specific unit conflicts with the default unit second'],
  ['5ms 5', 'specific unit conflicts with the default unit second'],
] as const)('refuses %j: %s', ([text, why]) => {
  expect(() => parseDurationMs(text)).toThrow(
    expect.toSatisfy((error) => isGatewayError(error, 'SETTINGS_INVALID') && error.message.startsWith(why)),
  );
});
