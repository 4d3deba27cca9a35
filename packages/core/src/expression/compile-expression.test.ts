import { expect, test } from 'vitest';
import { compileExpression } from './compile-expression.ts';

test.for([
  ['192.0.2.0/24', '192.0.2.77', true],
  ['192.0.2.0/24', '192.0.3.77', false],
  [['10.0.0.1', '2001:db8::/32'], '2001:db8::1', true],
  [['10.0.0.1', '2001:db8::/32'], '::ffff:10.0.0.1', true],
  ['0.0.0.0/0', 'unix:/run/db.sock', false],
] as const)('ipmatch %j and %s: %s', ([addresses, address, isMatch]) => {
  const condition = compileExpression([['remote_addr', 'ipmatch', addresses]]);

  expect(condition((name) => (name === 'remote_addr' ? address : undefined))).toBe(isMatch);
});

test.for(['10.0.0.0/33', 'fe80::1%eth0', 'localhost', ''])('ipmatch %j is refused', (address) => {
  expect(() => compileExpression([['remote_addr', 'ipmatch', address]])).toThrow('invalid ip address');
});

test('what is no expression is refused with what is wrong', () => {
  expect(() => compileExpression([['a', 'like', 'b']])).toThrow(new TypeError("invalid operator 'like'"));
});
