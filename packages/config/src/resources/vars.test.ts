import fc from 'fast-check';
import { expect, test } from 'vitest';
import { varsFault } from './vars.ts';

test.for([
  [[]],
  [[['arg_name', '==', 'json']]],
  [
    [
      ['arg_age', '>', 18],
      ['http_x', '~~', '^a'],
    ],
  ],
  [[['arg_name', '!', 'in', ['a', 'b']]]],
  [[['arg_name', 'json']]],
  [['OR', ['a', '==', 1], ['b', '==', null]]],
  [
    [
      ['!and', ['a', '==', 1], ['or', ['b', 'has', 1], ['c', '~*', 'x']]],
      ['d', '~=', true],
    ],
  ],
  [[['remote_addr', 'ipmatch', '10.0.0.0/8']]],
  [[['remote_addr', '!', 'ipmatch', ['10.0.0.1', '::1/128']]]],
] as const)('%j is an expression', ([vars]) => {
  expect(varsFault(vars)).toBeUndefined();
});

test.for([
  [['a', '==', 1], 'rule should be wrapped inside brackets'],
  [[{ a: 1 }], 'rule should be wrapped inside brackets'],
  [[[]], 'rule too short'],
  [[['a']], 'rule too short'],
  [['OR', ['a', '==', 1]], 'rule too short'],
  [[['AND']], 'rule too short'],
  [[[1, '==', 1]], 'invalid expression'],
  [[['a', '!', '==', 1, 2]], 'invalid expression'],
  [[['a', '=', 1]], "invalid operator '='"],
  [[['a', 1, 1]], "invalid operator '1'"],
  [[['a', '!', 'like', 1]], "invalid operator 'like'"],
  [[['a', 'not', '==', 1]], "bad 'not' expression"],
  [[['a', 'ipmatch', '10.0.0.0/33']], 'invalid ip address'],
  [[['a', 'ipmatch', ['10.0.0.1', 1]]], 'invalid ip address'],
  [[['or', ['a', '==', 1], ['b', '=', 1]]], "invalid operator '='"],
] as const)('%j is none: %s', ([vars, fault]) => {
  expect(varsFault(vars)).toBe(fault);
});

test('every list gets an answer', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (vars) => {
      expect(['undefined', 'string']).toContain(typeof varsFault(vars));
    }),
  );
});
