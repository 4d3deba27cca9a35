import { expect, test } from 'vitest';
import { varsFault } from './vars.ts';

test.for([
  [[]],
  [[['arg_name', '!', 'in', ['a', 'b']]]],
  [['!OR', ['a', '==', 1], ['b', '~~', '^a']]],
  [[['remote_addr', 'ipmatch', '10.0.0.0/8']]],
  [[['remote_addr', '!', 'ipmatch', ['10.0.0.1', '::1/128']]]],
] as const)('%j is an expression', ([vars]) => {
  expect(varsFault(vars)).toBeUndefined();
});

test.for([
  [[['a', '=', 1]], "invalid operator '='"],
  [[['a', 'ipmatch', '10.0.0.0/33']], 'invalid ip address'],
  [[['a', 'ipmatch', ['10.0.0.1', 'fe80::1%eth0']]], 'invalid ip address'],
] as const)('%j is none: %s', ([vars, fault]) => {
  expect(varsFault(vars)).toBe(fault);
});
