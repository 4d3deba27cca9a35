import { expect, test } from 'vitest';
import { prometheus } from './prometheus.ts';
import { faultOf } from './testing/plugin-scene.ts';

test.for([
  [{}, undefined],
  [{ prefer_name: true }, undefined],
  [{ prefer_name: 1 }, 'property "prefer_name" validation failed: wrong type: expected boolean, got number'],
] as const)('of %j is said: %s', ([configuration, message]) => {
  expect(faultOf(prometheus, configuration)).toBe(message);
});
